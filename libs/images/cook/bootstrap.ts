import { ISOLATE, runTool } from './run-tool.ts';

export interface BootstrapOptions {
  readonly release: string;
  readonly packages: readonly string[];
  /** How many packages are installed in all, those that others pull in too: the measure of progress. */
  readonly packageCount: number;
  /** A folder with `Packages` and the .deb files, and all that the new system is made of. */
  readonly repositoryDir: string;
  /** Where the new system's root is unpacked; must not exist. */
  readonly rootDir: string;
  /** A folder whose content is in the new root before any of these packages is configured. */
  readonly presetDir: string;
  /** A tar of a root that the new one begins with; without it, it begins empty. */
  readonly base?: string | undefined;
  /** mmdebstrap's own scratch files go here. */
  readonly temporaryDir: string;
  readonly epochSeconds: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (percent: number, message: string) => void;
  readonly onLine: (line: string) => void;
}

/** mmdebstrap runs the hook in a shell, with the new root as its first argument. */
const UNPACK =
  'tar --extract --numeric-owner --preserve-permissions --xattrs --xattrs-include="*" --directory "$1" --file';

function beginning({ base, presetDir }: BootstrapOptions): string[] {
  const preset = `sync-in ${presetDir} /`;
  if (base === undefined) {
    return ['--variant=apt', `--hook-dir=${MERGED_USR_HOOKS}`, `--essential-hook=${preset}`];
  }
  return ['--variant=custom', `--setup-hook=${UNPACK} ${base}`, `--setup-hook=${preset}`];
}

const MERGED_USR_HOOKS = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';

/**
 * Installs packages into an empty folder, or upon a root that was installed before, with mmdebstrap. The packages were verified when they were
 * downloaded; from here on nothing touches the network. No mount is left behind: mmdebstrap mounts in a
 * namespace of its own.
 */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { rootDir, epochSeconds, signal } = options;
  const argv = [
    ...['mmdebstrap', '--verbose', '--mode=root', '--format=directory', ...beginning(options)],
    `--include=${options.packages.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--dpkgopt=force-unsafe-io',
    '--dpkgopt=force-confold',
    ...[options.release, rootDir, `deb [trusted=yes] copy:${options.repositoryDir} ./`],
  ];
  let settled = 0;
  await runTool([...ISOLATE, ...argv], {
    timeoutSeconds: 3600,
    signal,
    env: { SOURCE_DATE_EPOCH: String(epochSeconds), TMPDIR: options.temporaryDir },
    onLine: (line) => {
      options.onLine(line);
      const [, verb, name] = /^(Unpacking|Setting up) (\S+)/.exec(line) ?? [];
      if (verb === undefined) return;
      settled += 1;
      options.onProgress(Math.min(99, (settled / (2 * options.packageCount)) * 100), `${verb} ${name}`);
    },
  });
}
