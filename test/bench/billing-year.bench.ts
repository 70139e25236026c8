import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDataSource, migrate } from '#libs/database';
import { stopDaemon } from '../../apps/cli/services/daemon.ts';
import { ensurePostgres } from '../../apps/cli/services/postgres.ts';
import type { YearSize } from './billing-year/plan.ts';
import { simulateYear, verdict } from './billing-year/simulate.ts';
import { yearEntities } from './billing-year/world.ts';

/**
 * A year of a shop in which everything goes wrong that may, by the emulator's clock: the verdict says whether every
 * second was billed once and every cent is where it belongs. Exits 1 on any difference.
 */
const size = sizeWanted();
console.log(`seed ${size.seed}: give --seed ${size.seed} to live through this year again`);
const folder = await mkdtemp(join(tmpdir(), 'servery-bench-'));
try {
  const url = await ensurePostgres({ folder, settings: { fsync: 'off', synchronous_commit: 'off' } });
  const dataSource = await createDataSource(url, { entities: yearEntities, poolSize: 12 }).initialize();
  try {
    await migrate(dataSource);
    const report = await simulateYear({ dataSource, url }, size, (line) => console.log(line));
    for (const difference of report.differences.slice(0, 200)) console.log(`DIFFERS: ${difference}`);
    console.log(verdict(size, report));
    if (report.differences.length > 0) process.exitCode = 1;
  } finally {
    await dataSource.destroy();
  }
} finally {
  await stopDaemon(folder, 'postgres');
  await rm(folder, { recursive: true, force: true });
}

function sizeWanted(): YearSize {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { seed: option, customers: option, servers: option, months: option },
  });
  const number = (name: keyof typeof values, fallback: number, least: number, most: number) => {
    const given = Number(values[name] ?? fallback);
    if (Number.isInteger(given) && given >= least && given <= most) return given;
    throw new Error(`--${name} wants a whole number from ${least} to ${most}, not ${values[name]}`);
  };
  return {
    seed: number('seed', Math.floor(Math.random() * 1_000_000), 0, 2 ** 31 - 1),
    customers: number('customers', 200, 1, 10_000),
    servers: number('servers', 3000, 1, 100_000),
    months: number('months', 12, 1, 12),
  };
}
