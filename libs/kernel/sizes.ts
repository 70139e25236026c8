export const BYTES_PER_MIB = 1024 ** 2;
export const BYTES_PER_GIB = 1024 ** 3;

/** GiB → bytes. */
/** Whole GiB that hold so many bytes. */
export function bytesToWholeGib(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_GIB);
}

export function gibToBytes(gib: number): number {
  return gib * BYTES_PER_GIB;
}

/** MiB → KiB, libvirt's default unit of memory. */
export function mibToKib(mib: number): number {
  return mib * 1024;
}
