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

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('bring everything up on this machine, order a server and log in to it')
    .option('--no-order', 'bring all up without ordering')
    .action(async ({ order }: { order: boolean }) => bringUp(order));
}

async function bringUp(withOrder: boolean): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new CliError('not_root', 'The hosts need namespaces and mounts. Run this as root, or: npm run up');
  }
  const root = findRoot();
  const folder = dataFolder(root);
  await mkdir(folder, { recursive: true });
  process.once('SIGINT', () => stopped('SIGINT'));
  process.once('SIGTERM', () => stopped('SIGTERM'));
  await withLock(folder, async () => {
    const up = await Up.open({ root, folder });
    await runSteps(up, withOrder ? [...stackSteps, ...orderSteps] : stackSteps);
    process.stdout.write(`\n${summary(up)}\n`);
  });
}

/** What was brought up so far stays, and the next run goes on from there. */
function stopped(signal: NodeJS.Signals): never {
  process.stderr.write(
    `\nStopped by ${signal}. "npm run up" goes on from here, "npm run down" stops everything.\n`,
  );
  process.exit(INTERRUPTED);
}
