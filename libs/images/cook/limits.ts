/** What one cook may use of the machine, all that its packages run counted together. */
export interface CookLimits {
  readonly memoryMib: number;
  /** Processes and their threads at one time. */
  readonly processes: number;
  /** The builder's own disk: the unpacked root, its packages and what they write while they are installed. */
  readonly diskGib: number;
  /** From the first package to the finished disk, whoever else uses the machine. */
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of all that the build prints. */
  readonly logBytes: number;
}

/** Beside the disk that the recipe asks for: copies of packages, and what their scripts make and remove. */
const BESIDE_ROOT_GIB = 2;
const HOUR_SECONDS = 3600;

/**
 * Several times what the largest appliance of the catalog uses; `more` replaces single ones. A build that may take longer may
 * compute as long.
 */
export function limitsFor(
  recipe: { readonly minimum: { readonly diskGib: number } },
  more: Partial<CookLimits> = {},
): CookLimits {
  return {
    memoryMib: 2048,
    processes: 512,
    diskGib: recipe.minimum.diskGib + BESIDE_ROOT_GIB,
    wallSeconds: HOUR_SECONDS,
    cpuSeconds: Math.max(HOUR_SECONDS, more.wallSeconds ?? 0),
    logBytes: 16 * 1024 * 1024,
    ...more,
  };
}
