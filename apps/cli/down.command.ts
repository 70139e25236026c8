import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CliError } from './cli.errors.ts';
import { dataFolder, findRoot } from './places.ts';
import { stopDaemon } from './services/daemon.ts';
import { lab } from './services/lab.ts';
import { withLock } from './up/lock.ts';
import { daemons } from './up/steps.ts';

/** The Node that runs this may lie in the data folder; scripts/down.sh removes it last. */
const KEPT_TO_THE_LAST = 'node';

export function registerDown(program: Command): void {
  program
    .command('down')
    .description('stop everything that `up` started')
    .option('--purge', 'remove the data as well: databases, disks, images')
    .action(async ({ purge = false }: { purge?: boolean }) => bringDown(purge));
}

/** Works on a whole stack, on half of one after a kill, and on none. */
async function bringDown(purge: boolean): Promise<void> {
  const root = findRoot();
  const folder = dataFolder(root);
  if (!existsSync(folder)) return say('Nothing is up.');
  await withLock(folder, async () => {
    for (const name of daemons) {
      if (await stopDaemon(folder, name)) say(`✔ ${name} stopped`);
    }
    await lab({ root, folder, args: purge ? ['down', '--purge'] : ['down'], timeoutSeconds: 180 });
    say('✔ lab stopped: its namespaces, links and mounts are gone');
    if (purge) await removeData(folder);
  });
}

async function removeData(folder: string): Promise<void> {
  await refuseIfMounted(folder);
  const entries = (await readdir(folder)).filter((entry) => entry !== KEPT_TO_THE_LAST);
  await Promise.all(entries.map((entry) => rm(join(folder, entry), { recursive: true, force: true })));
  say('✔ data removed');
}

/** Never removes through a mount: what lies behind it may be somebody else's. */
async function refuseIfMounted(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  if (mounts.length === 0) return;
  const list = mounts.join(', ');
  throw new CliError(
    'mounts_left',
    `Still mounted: ${list}. Unmount them (umount ${list}) and run this again.`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
