import type { Command } from 'commander';
import { z } from 'zod';
import type { Environment } from '#libs/config';
import { runInTransaction } from '#libs/database';
import { sleep } from '#libs/kernel';
import { MONEY_CLOCK_LOOK_MILLISECONDS, moneyClockAhead, moveMoneyClock } from '#libs/payments';
import { isEmulated } from '#libs/payments/stripe';
import { CliError } from './cli.errors.ts';
import { INSTALLATION, moneyClock, withInstallation } from './installation.ts';
import { invalid } from './options.ts';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
/** As far as the emulator goes at once. */
const MOST_SECONDS = 366 * DAY_SECONDS;
const TIMEOUT_MILLISECONDS = 30_000;

export function registerClock(program: Command): void {
  const clock = program
    .command('clock')
    .description('the clock of money: it may be moved ahead where the Stripe emulator stands for Stripe');
  clock.command('show').description('what it shows, and how far it was moved').action(show);
  clock
    .command('advance')
    .description('moves it, with the emulator: see what months bring, and what happens when nobody pays')
    .option('--days <days>', 'whole days', '0')
    .option('--hours <hours>', 'whole hours', '0')
    .action(advance);
}

async function show(): Promise<void> {
  await withInstallation(async (installation) => {
    const { manager } = installation.dataSource;
    const ahead = await moneyClockAhead(manager);
    process.stdout.write(`${statement((await moneyClock(installation)).now(), ahead)}\n`);
  });
}

/** It may be killed and repeated: the emulator goes first, and is not sent further than the books follow. */
async function advance(asked: { readonly days: string; readonly hours: string }): Promise<void> {
  const seconds =
    wholeNumber('--days', asked.days) * DAY_SECONDS + wholeNumber('--hours', asked.hours) * HOUR_SECONDS;
  if (seconds === 0) throw invalid('Say how far: --days 3, or --hours 12');
  if (seconds > MOST_SECONDS) throw invalid('The clock moves by 366 days at once at most');
  await withInstallation(async (installation) => {
    const { dataSource, environment, audit } = installation;
    const emulator = emulatorOf(environment);
    const target = (await moneyClockAhead(dataSource.manager)) + seconds;
    await emulator.moveTo(target);
    await runInTransaction(dataSource, async (manager) => {
      await moveMoneyClock(manager, target);
      await audit('installation.advance_clock', INSTALLATION, manager);
    });
    // When the command has ended, API and worker have seen it.
    await sleep(2 * MONEY_CLOCK_LOOK_MILLISECONDS);
    process.stdout.write(`✔ ${statement((await moneyClock(installation)).now(), target)}\n`);
  });
}

/** @throws CliError `clock_fixed` where real money could move, or something else than our emulator answers */
function emulatorOf(environment: Environment): { readonly moveTo: (aheadSeconds: number) => Promise<void> } {
  if (!isEmulated(environment)) {
    throw new CliError(
      'clock_fixed',
      'This installation is connected to Stripe itself, where nobody is charged for days that have not passed: the clock of money moves on the Stripe emulator alone. `npm run up` without STRIPE_SECRET_KEY starts one.',
    );
  }
  const url = `http://${environment.STRIPE_API_HOST}:${environment.STRIPE_API_PORT ?? 80}/_emulator`;
  return {
    async moveTo(aheadSeconds) {
      const { now } = await ask(`${url}/health`, health);
      const missingSeconds = aheadSeconds - (now - Math.floor(Date.now() / 1000));
      if (missingSeconds > 0) await ask(`${url}/clock`, moved, { advanceSeconds: missingSeconds });
    },
  };
}

const health = z.object({ isEmulator: z.literal(true), now: z.int() });
const moved = z.object({ now: z.int() });

async function ask<S extends z.ZodType>(url: string, schema: S, body?: object): Promise<z.output<S>> {
  const posted = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  try {
    const response = await fetch(url, { ...posted, signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
    if (!response.ok) throw new Error(`it answered with status ${response.status}`);
    return schema.parse(await response.json());
  } catch (cause) {
    throw new CliError(
      'clock_fixed',
      `STRIPE_API_HOST is not our Stripe emulator, or it does not run, so the clock was not moved (asked at ${url}).`,
      { cause },
    );
  }
}

function statement(now: Date, aheadSeconds: number): string {
  const shown = `The clock of money shows ${now.toISOString()}`;
  if (aheadSeconds === 0) return `${shown}, as this machine's`;
  const [days, hours] = [
    Math.floor(aheadSeconds / DAY_SECONDS),
    Math.floor((aheadSeconds % DAY_SECONDS) / HOUR_SECONDS),
  ];
  return `${shown}, ${days} days${hours > 0 ? ` and ${hours} hours` : ''} ahead of this machine's`;
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw invalid(`${option}: "${text}" must be a whole number`);
}
