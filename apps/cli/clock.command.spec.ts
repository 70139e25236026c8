import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '#libs/payments/emulator';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const DAY_SECONDS = 86_400;
const KEY = 'sk_test_clock';

const database = testDatabase();
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ port: 0, apiKey: KEY });
});
afterAll(() => emulator.close());

const real = () => ({ DATABASE_URL: database.url, STRIPE_SECRET_KEY: KEY });
const emulated = (port = emulator.port) => ({
  ...real(),
  STRIPE_API_HOST: '127.0.0.1',
  STRIPE_API_PORT: String(port),
});

/** By how many days the books and the emulator are ahead of this machine. */
async function daysAhead(): Promise<[number, number]> {
  const [row] = await database.dataSource.query<[{ seconds: number }]>(
    'SELECT extract(epoch FROM money_now() - now())::float8 AS seconds',
  );
  return [row.seconds / DAY_SECONDS, Math.round((emulator.now() - Date.now() / 1000) / DAY_SECONDS)];
}

it('servery clock moves books and emulator together, and takes up a move that was cut short', async () => {
  const servery = serveryCli(emulated);
  expect(await servery('clock', 'show')).toContain("as this machine's");
  expect(await servery('clock', 'advance', '--days', '3')).toContain('3 days ahead');
  expect(await daysAhead()).toEqual([3, 3]);
  // As if a former try had been killed between its two moves.
  emulator.advance(2 * DAY_SECONDS);
  await servery('clock', 'advance', '--days', '1', '--hours', '24');
  expect(await daysAhead()).toEqual([5, 5]);
  expect(await servery('clock', 'show')).toContain('5 days ahead');
  expect(await servery('audit')).toContain('installation.advance_clock');
  for (const [args, problem] of [
    [[], 'Say how far'],
    [['--days', '-1'], 'whole number'],
    [['--days', '1.5'], 'whole number'],
    [['--days', '400'], '366 days'],
  ] as const) {
    await expect(servery('clock', 'advance', ...args), args.join(' ')).rejects.toThrow(problem);
  }
  expect(await daysAhead()).toEqual([5, 5]);
});

it('servery clock stands still where real money could move, or nobody knows what answers', async () => {
  const before = await daysAhead();
  for (const [variables, problem] of [
    [real(), 'connected to Stripe itself'],
    [{ ...emulated(), STRIPE_SECRET_KEY: 'sk_live_clock' }, 'connected to Stripe itself'],
    [emulated(1), 'not our Stripe emulator'],
  ] as const) {
    await expect(serveryCli(() => variables)('clock', 'advance', '--days', '3')).rejects.toThrow(problem);
  }
  expect(await daysAhead()).toEqual(before);
});
