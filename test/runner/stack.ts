import { access, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nothing, type Outcome } from './outcome.ts';
import { runCommand } from './run-command.ts';
import { dataFolder, node } from './suites.ts';

const CLI = 'dist/apps/cli/main.js';
const UP_MINUTES = 60;
const DOWN_MINUTES = 10;

/** The settings of the stack under test; those of a developer's own stack stay outside. */
export const stackEnvironment: NodeJS.ProcessEnv = {
  SERVERY_DATA_DIR: dataFolder,
  SERVERY_IMAGES_DIR: join(dataFolder, 'images'),
  DATABASE_URL: '',
  REDIS_URL: '',
  STRIPE_SECRET_KEY: '',
  STRIPE_WEBHOOK_SECRET: '',
};

/** Brings up the stack that the later suites need: one test. */
export async function stackUp(): Promise<Outcome> {
  const up = node('up --no-order', CLI, 'up', '--no-order');
  const code = await runCommand(up, stackEnvironment, UP_MINUTES);
  return code === 0
    ? { ...nothing, passed: 1 }
    : { ...nothing, failed: [`stack: up --no-order ended with ${code}`] };
}

/** Takes the stack and its data away: one test. Nothing is done where nothing is. */
export async function stackDown(): Promise<Outcome> {
  const exists = await access(dataFolder).then(
    () => true,
    () => false,
  );
  if (!exists) return nothing;
  const code = await runCommand(node('down', CLI, 'down', '--purge'), stackEnvironment, DOWN_MINUTES);
  return code === 0
    ? { ...nothing, passed: 1 }
    : { ...nothing, failed: [`stack: down --purge ended with ${code}`] };
}

/** The addresses and logins that `up` wrote, for the suites that run against the stack. */
export async function stackLogins(): Promise<NodeJS.ProcessEnv> {
  const text = await readFile(join(dataFolder, 'env'), 'utf8').catch(() => '');
  return Object.fromEntries(
    [...text.matchAll(/^export (\w+)='(.*)'$/gm)].map((match) => [match[1], match[2]]),
  );
}
