import type { DataSource } from 'typeorm';
import type { Ledger } from '#libs/payments/emulator';
import { Chance } from './chance.ts';
import { type Figures, figuresOf, tell } from './figures.ts';
import { planYear, type YearSize } from './plan.ts';
import type { MoneyRecord } from './record.ts';
import { judge, settle } from './settle.ts';
import { openWorld } from './world.ts';
import { Year } from './year.ts';

export interface YearReport {
  readonly figures: Figures;
  readonly record: MoneyRecord;
  /** What the provider had in the end. */
  readonly provider: Ledger;
  /** Nothing, as it has to be. */
  readonly differences: readonly string[];
}

/** Lives through a year that follows from its seed, on an empty database, and judges what came of it. */
export async function simulateYear(
  database: { readonly dataSource: DataSource; readonly url: string },
  size: YearSize,
  say: (line: string) => void,
): Promise<YearReport> {
  const plan = planYear(size, new Chance(size.seed));
  const world = await openWorld(database.dataSource, database.url);
  try {
    const year = new Year(world, plan);
    const begun = performance.now();
    const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;
    await year.live(async (month) => {
      const { invoices, sagas, events, kills } = await figuresOf(world);
      say(
        `month ${month} is over after ${seconds()}: ${invoices} invoices, ${sagas} sagas, ${events} events, ${kills} kills`,
      );
    });
    await settle(world);
    const differences = await judge(world, plan, year.record);
    const figures = await figuresOf(world);
    say(`${tell(figures, year.record)}\nsimulated and judged in ${seconds()}`);
    return { figures, differences, record: year.record, provider: world.payments.emulator.ledger() };
  } finally {
    await world.close();
  }
}

/** One line that says it all. */
export function verdict(
  { seed, customers, servers, months }: YearSize,
  { figures, differences }: YearReport,
): string {
  const size = `${customers} customers, ${servers} servers${months === 12 ? '' : `, ${months} months`}`;
  const done = `${figures.invoices} invoices, ${figures.kills} workers killed`;
  const found = differences.length === 0 ? 'no difference' : `${differences.length} differences`;
  return `billing year, seed ${seed}: ${size}, ${done}: ${found}`;
}
