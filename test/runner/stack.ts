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
  SMTP_URL: '',
  MAIL_FROM: '',
  SERVERY_REQUIRE_CONFIRMED_EMAIL: '',
};

/** Brings up the stack that the later suites need, with its first server, and does it again: two tests. */
export async function stackUp(): Promise<Outcome> {
  for (const [index, title] of ['up', 'up, a second time'].entries()) {
    const code = await runCommand(node(title, CLI, 'up'), stackEnvironment, UP_MINUTES);
    if (code !== 0) return { ...nothing, passed: index, failed: [`stack: ${title} ended with ${code}`] };
  }
  return { ...nothing, passed: 2 };
}

/** Takes the stack and its data away: one test. Nothing is done where nothing is. */
export async function stackDown(): Promise<Outcome> {
  const exists = await access(dataFolder).then(
    () => true,
    () => false,
  );
  if (!exists) return nothing;
  const code = await runCommand(node('down', CLI, 'down', '--purge'), stackEnvironment, DOWN_MINUTES);
  if (code !== 0) return { ...nothing, failed: [`stack: down --purge ended with ${code}`] };
  await rm(dataFolder, { recursive: true, force: true });
  const left = await leftovers();
  return left.length === 0
    ? { ...nothing, passed: 1 }
    : { ...nothing, failed: left.map((one) => `stack: left ${one}`) };
}

/** Processes and mounts that still name our folder. */
async function leftovers(): Promise<string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  const mounts = mountinfo.split('\n').filter((line) => line.includes(dataFolder));
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  const processes = commands.filter((command) => command.includes(dataFolder));
  return [
    ...mounts.map((line) => `the mount ${line}`),
    ...processes.map((command) => `the process ${command.replaceAll('\0', ' ')}`),
  ];
}

/** The addresses and logins that `up` wrote, for the suites that run against the stack. */
export async function stackLogins(): Promise<NodeJS.ProcessEnv> {
  const text = await readFile(join(dataFolder, 'env'), 'utf8').catch(() => '');
  return Object.fromEntries(
    [...text.matchAll(/^export (\w+)='(.*)'$/gm)].map((match) => [match[1], match[2]]),
  );
}
