import { parseArgs } from 'node:util';
import { openBundles } from '../support/bundle.ts';
import { withBenchDatabase } from './bench-database.ts';
import type { YearSize } from './billing-year/plan.ts';
import { simulateYear, verdict } from './billing-year/simulate.ts';
import { yearEntities } from './billing-year/world.ts';

/** Nobody misses the data of a year that is over, and nobody replicates it. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
};

/**
 * A year of a shop in which everything goes wrong that may, by the emulator's clock: the verdict says whether every
 * second was billed once and every cent is where it belongs. With `--seeds N` as many years follow one another, each
 * with the next seed. Exits 1 on any difference.
 */
const { size, seeds } = yearsWanted();
const bundles = await openBundles();
const found: number[] = [];
for (let seed = size.seed; seed < size.seed + seeds; seed += 1) {
  console.log(`seed ${seed}: give --seed ${seed} to live through this year again`);
  if (!(await isRight({ ...size, seed }))) found.push(seed);
}
await bundles.remove();
if (seeds > 1) {
  const end = found.length === 0 ? 'no difference' : `differences with the seeds ${found.join(', ')}`;
  console.log(`billing year, ${seeds} seeds from ${size.seed} on: ${end}`);
}
if (found.length > 0) process.exitCode = 1;

/** A year that breaks off has a verdict as well. */
async function isRight(size: YearSize): Promise<boolean> {
  try {
    return (await liveThrough(size)) === 0;
  } catch (error) {
    console.log(error);
    console.log(`billing year, seed ${size.seed}: broken off, nothing is proven`);
    return false;
  }
}

/** @returns how many differences there are */
async function liveThrough(size: YearSize): Promise<number> {
  let found = 0;
  const options = { entities: yearEntities, poolSize: 12, idleSeconds: 600, settings: SETTINGS };
  await withBenchDatabase(options, async (dataSource, url) => {
    const report = await simulateYear({ dataSource, url }, size, (line) => console.log(line));
    for (const difference of report.differences.slice(0, 200)) console.log(`DIFFERS: ${difference}`);
    console.log(verdict(size, report));
    found = report.differences.length;
  });
  return found;
}

function yearsWanted(): { size: YearSize; seeds: number } {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { seed: option, seeds: option, customers: option, servers: option, months: option },
  });
  const number = (name: keyof typeof values, fallback: number, least: number, most: number) => {
    const given = Number(values[name] ?? fallback);
    if (Number.isInteger(given) && given >= least && given <= most) return given;
    throw new Error(`--${name} wants a whole number from ${least} to ${most}, not ${values[name]}`);
  };
  const size = {
    seed: number('seed', Math.floor(Math.random() * 1_000_000), 0, 2 ** 31 - 1),
    customers: number('customers', 200, 1, 10_000),
    servers: number('servers', 3000, 1, 100_000),
    months: number('months', 12, 1, 12),
  };
  return { size, seeds: number('seeds', 1, 1, 1000) };
}
