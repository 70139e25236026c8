import { DomainError } from '#libs/kernel';
import { runTool } from '../run-tool.ts';
import { WITHIN } from '../wall/places.ts';
import { PLACES } from './job.ts';

export interface BootstrapOptions {
  readonly release: string;
  readonly packages: readonly string[];
  /** How many packages are installed in all, those that others pull in too: the measure of progress. */
  readonly packageCount: number;
  /** A folder whose content is in the new root before any of these packages is configured. */
  readonly presetDir: string;
  /** Whether the new root begins with that of a base; without it, it begins empty. */
  readonly hasBase: boolean;
  readonly epochSeconds: number;
  readonly onProgress: (percent: number, message: string) => void;
  readonly onLine: (line: string) => void;
}

const MERGED_USR_HOOKS = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';

/** Runs in a shell, so it names nothing but places of ours. Where packages are installed, processes and devices lie over it. */
const UNPACK =
  'tar --extract --numeric-owner --preserve-permissions --xattrs --xattrs-include="*" ' +
  `--directory ${WITHIN.root} --file ${PLACES.base}`;

function beginning({ hasBase, presetDir }: BootstrapOptions): string[] {
  const preset = `sync-in ${presetDir} /`;
  if (!hasBase) return ['--variant=apt', `--hook-dir=${MERGED_USR_HOOKS}`, `--essential-hook=${preset}`];
  return ['--variant=custom', `--setup-hook=${UNPACK}`, `--setup-hook=${preset}`];
}

/** The command: nothing of a recipe is in it but names of packages and a release, and no shell sees those. */
export function bootstrapCommand(options: BootstrapOptions): [string, ...string[]] {
  return [
    ...(['mmdebstrap', '--verbose', '--mode=root', '--format=directory'] as const),
    // What it would mount is there.
    '--skip=check/empty,chroot/mount',
    ...beginning(options),
    `--include=${options.packages.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--dpkgopt=force-unsafe-io',
    '--dpkgopt=force-confold',
    ...['--', options.release, WITHIN.install, `deb [trusted=yes] copy:${PLACES.packages} ./`],
  ];
}

/**
 * Installs packages into an empty root, or upon one that was installed before, with mmdebstrap. The packages were
 * verified when they were downloaded.
 */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  let settled = 0;
  const run = runTool(bootstrapCommand(options), {
    env: {
      SOURCE_DATE_EPOCH: String(options.epochSeconds),
      TMPDIR: WITHIN.tmp,
      // Processes lie over it already, and nobody may change their folder.
      TAR_OPTIONS: '--anchored --exclude=./proc',
    },
    onLine: (line) => {
      options.onLine(line);
      const [, verb, name] = /^(Unpacking|Setting up) (\S+)/.exec(line) ?? [];
      if (verb === undefined) return;
      settled += 1;
      options.onProgress(Math.min(99, (settled / (2 * options.packageCount)) * 100), `${verb} ${name}`);
    },
  });
  await run.catch((error: unknown) => Promise.reject(new Error(whyNot(error))));
}

/**
 * In one line, for its last ones were told as they came. An exit code of Perl's is the number of whichever error came last, so
 * nothing is known by it.
 */
function whyNot(error: unknown): string {
  const isByItself = error instanceof DomainError && typeof error.details.exitCode === 'number';
  if (isByItself) return 'mmdebstrap could not install the packages: the lines above say why';
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
