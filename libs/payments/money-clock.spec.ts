import { afterEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { MoneyClock, moneyClockAhead, moveMoneyClock } from './money-clock.ts';

const DAY_SECONDS = 86_400;
const database = testDatabase();

const opened: MoneyClock[] = [];
async function open(isMovable: boolean): Promise<MoneyClock> {
  const clock = await MoneyClock.open(database.dataSource, isMovable);
  opened.push(clock);
  return clock;
}
afterEach(() => {
  for (const clock of opened.splice(0)) clock.onModuleDestroy();
});

/** By how many days a moment is ahead of this machine's clock. */
function daysAhead(moment: Date): number {
  return Math.floor((moment.getTime() - Date.now()) / (DAY_SECONDS * 1000) + 0.5);
}

async function sqlMoment(): Promise<Date> {
  const [row] = await database.dataSource.query<[{ now: Date }]>('SELECT money_now() AS now');
  return row.now;
}

describe('the clock of money', () => {
  it('is the machine’s until it is moved, in every process and in SQL alike; and never goes back', async () => {
    const { manager } = database.dataSource;
    const [clock, fixed] = [await open(true), await open(false)];
    expect([daysAhead(clock.now()), daysAhead(await sqlMoment())]).toEqual([0, 0]);
    await moveMoneyClock(manager, 40 * DAY_SECONDS);
    await expect.poll(() => daysAhead(clock.now())).toBe(40);
    expect(daysAhead(await sqlMoment())).toBe(40);
    expect(daysAhead(fixed.now())).toBe(0);
    await moveMoneyClock(manager, 2 * DAY_SECONDS);
    expect(await moneyClockAhead(manager)).toBe(40 * DAY_SECONDS);
    expect(daysAhead((await open(true)).now())).toBe(40);
  });

  it('is refused once it was moved, where real money could be asked for', async () => {
    await moveMoneyClock(database.dataSource.manager, DAY_SECONDS);
    await expect(open(false)).rejects.toMatchObject({ code: 'clock_moved' });
  });
});
