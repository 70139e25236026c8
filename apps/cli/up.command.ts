import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { CliError } from './cli.errors.ts';
import { dataFolder, findRoot } from './places.ts';
import { withLock } from './up/lock.ts';
import { runSteps } from './up/run-steps.ts';
import { orderSteps, stackSteps } from './up/steps.ts';
import { summary } from './up/summary.ts';
import { Up } from './up/up.ts';

const INTERRUPTED = 130;
const TIDY_MILLISECONDS = 2000;

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('bring everything up on this machine, order a server and log in to it')
    .option('--no-order', 'bring all up without ordering')
    .option('--with <names...>', 'cook more of the catalog, a few minutes each: --with docker git')
    .action(async ({ order, with: more = [] }: { order: boolean; with?: string[] }) => bringUp(order, more));
}

async function bringUp(withOrder: boolean, moreAppliances: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new CliError('not_root', 'The hosts need namespaces and mounts. Run this as root, or: npm run up');
  }
  const root = findRoot();
  const folder = dataFolder(root);
  await mkdir(folder, { recursive: true });
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopSoon(stop, name));
  await withLock(folder, async () => {
    const up = await Up.open({ root, folder, moreAppliances, signal: stop.signal });
    await runSteps(up, withOrder ? [...stackSteps, ...orderSteps] : stackSteps);
    process.stdout.write(`\n${summary(up)}\n`);
  });
}

/** The step that runs may tidy up; what was brought up before it stays, and the next run goes on from there. */
function stopSoon(stop: AbortController, name: NodeJS.Signals): void {
  stop.abort(new Error(`stopped by ${name}`));
  setTimeout(() => {
    process.stderr.write(
      `\nStopped by ${name}. "npm run up" goes on from here, "npm run down" stops everything.\n`,
    );
    process.exit(INTERRUPTED);
  }, TIDY_MILLISECONDS);
}
