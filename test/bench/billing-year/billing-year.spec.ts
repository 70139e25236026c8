import { expect, it } from 'vitest';
import { testDatabase } from '../../support/test-database.ts';
import type { YearSize } from './plan.ts';
import { simulateYear, verdict } from './simulate.ts';
import { yearEntities } from './world.ts';

const SIZE: Omit<YearSize, 'seed'> = { customers: 8, servers: 40, months: 2 };

for (const seed of [1, 2]) {
  const database = testDatabase({ entities: yearEntities });

  it(`keeps its books to the cent through a year cut short, seed ${seed}`, async () => {
    const report = await simulateYear(database, { ...SIZE, seed }, () => {});
    expect(report.differences, verdict({ ...SIZE, seed }, report)).toEqual([]);
    expect(report.figures.invoices).toBeGreaterThan(0);
    expect(report.figures.kills).toBeGreaterThan(0);
  }, 240_000);
}
