import { expect, it } from 'vitest';
import { behindTheBack } from '../../support/superuser.ts';
import { testDatabase } from '../../support/test-database.ts';
import { Chance } from './chance.ts';
import { judgeBalance } from './judge-balance.ts';
import { judgeCustomers, judgeLedger } from './judge-money.ts';
import { judgeProvider } from './judge-provider.ts';
import { judgeUsage } from './judge-usage.ts';
import { planYear, type YearSize } from './plan.ts';
import { simulateYear, verdict, type YearReport } from './simulate.ts';
import { yearEntities } from './world.ts';

const SIZE: Omit<YearSize, 'seed'> = { customers: 8, servers: 40, months: 2 };

for (const seed of [1]) {
  const database = testDatabase({ entities: yearEntities });

  it(`keeps its books to the cent through a year cut short, seed ${seed}`, async () => {
    const size = { ...SIZE, seed };
    const report = await simulateYear(database, size, () => {});
    expect(report.differences, verdict(size, report)).toEqual([]);
    expect(report.figures.invoices).toBeGreaterThan(0);
    expect(report.figures.kills).toBeGreaterThan(0);
    await expectToFindSabotage(database, size, report);
  }, 900_000);
}

/** The judge is no rubber stamp: a second, a cent and a payment too much are each found. */
async function expectToFindSabotage(
  database: ReturnType<typeof testDatabase>,
  size: YearSize,
  { record, provider }: YearReport,
): Promise<void> {
  const { dataSource } = database;
  const plan = planYear(size, new Chance(size.seed));
  const [paid, ...others] = provider.intents.filter(({ capturedMinor }) => capturedMinor > 0);
  if (!paid) throw new Error('nobody has paid');
  const unpaid = provider.intents.filter(({ capturedMinor }) => capturedMinor === 0);
  const more = {
    ...provider,
    intents: [{ ...paid, capturedMinor: paid.capturedMinor + 1 }, ...others, ...unpaid],
  };
  expect(await judgeProvider(dataSource, more)).toHaveLength(1);
  expect(await judgeCustomers(dataSource, plan, record, more)).toHaveLength(1);
  expect(await judgeBalance(dataSource, { ...provider, feesMinor: provider.feesMinor + 1 })).toHaveLength(1);
  const line = `(SELECT span_id FROM invoice_lines WHERE seconds > 60 ORDER BY span_id LIMIT 1)`;
  await behindTheBack(database, (manager) =>
    manager.query(
      `UPDATE invoice_lines SET used_until = used_until + interval '1 second', seconds = seconds + 1
       WHERE span_id = ${line} AND seconds > 60`,
    ),
  );
  expect(await judgeUsage(dataSource, plan)).not.toEqual([]);
  await behindTheBack(database, (manager) =>
    manager.query(
      `UPDATE ledger_entries SET amount = amount + 1
       WHERE ctid = (SELECT ctid FROM ledger_entries WHERE account = 'stripe_clearing' LIMIT 1)`,
    ),
  );
  expect(await judgeLedger(dataSource)).toHaveLength(2);
  const found = [
    ...(await judgeProvider(dataSource, provider)),
    ...(await judgeBalance(dataSource, provider)),
  ];
  expect(found).not.toEqual([]);
}
