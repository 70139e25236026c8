import { checkBooks } from '#libs/billing';
import { collectDue, compareWithProvider } from '#libs/workflows';
import { judgeBalance } from './judge-balance.ts';
import { judgeCollecting } from './judge-collecting.ts';
import { judgeCustomers, judgeLedger } from './judge-money.ts';
import { judgeProvider } from './judge-provider.ts';
import { judgeUsage } from './judge-usage.ts';
import type { Plan } from './plan.ts';
import type { MoneyRecord } from './record.ts';
import { rest } from './rest.ts';
import { patiently, type YearWorld } from './world.ts';
import { letTimePass } from './year.ts';

/**
 * Nothing goes wrong any more, but that a busy machine may answer late: what was lost is found, and what has come to
 * nothing is tried once more.
 */
export async function settle(world: YearWorld): Promise<void> {
  const { payments, dataSource, money, crew } = world;
  payments.emulator.clearFaults();
  await crew.reprieve();
  await rest(world);
  for (;;) {
    const { found } = await patiently(() => payments.events.repair({ isFull: true }));
    await rest(world);
    await letTimePass(world);
    const started = await collectDue(dataSource, money.store, money.deps.clock.now());
    await rest(world);
    if (found === 0 && started === 0) return;
  }
}

/** All that differs between what was done, the books and the provider; by who finds it. */
export async function judge(world: YearWorld, plan: Plan, record: MoneyRecord): Promise<string[]> {
  const { dataSource, money, payments } = world;
  const provider = payments.emulator.ledger();
  const inBooks = await dataSource.transaction('REPEATABLE READ', checkBooks);
  const atNight = await patiently(() => compareWithProvider(money.deps));
  const differences = [
    ...(await judgeLedger(dataSource)),
    ...(await judgeUsage(dataSource, plan)),
    ...(await judgeCustomers(dataSource, plan, record, provider)),
    ...(await judgeProvider(dataSource, provider)),
    ...(await judgeBalance(dataSource, provider)),
    ...(await judgeCollecting(dataSource)),
    ...[...inBooks, ...atNight].map(({ rule, subject, differsBy }) => `${rule}: ${subject} by ${differsBy}`),
  ];
  return [...differences, ...world.crew.accidents];
}
