import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { checkBooks, closeMonth } from '#libs/billing';
import { createDataSource, migrate } from '#libs/database';
import { stopDaemon } from '../../apps/cli/services/daemon.ts';
import { ensurePostgres } from '../../apps/cli/services/postgres.ts';
import {
  ACCOUNTS,
  AFTERWARDS,
  bareAggregate,
  MONTH,
  reopenBooks,
  SPANS,
  stockBooks,
} from './billing-close/books.ts';
import { alternate, report, roundsWanted } from './rounds.ts';

/**
 * Closing a month (rating, lines, invoices with numbers, ledger) for 100,000 spans against one SQL aggregate that only
 * sums them, on a private PostgreSQL with the settings of `up`.
 */
const NAMES = { ours: 'month closed', baseline: 'bare SQL aggregate' };
const UNIT = 'spans per second';
const MIB = 1024 * 1024;

const rounds = roundsWanted(3, 1);
const folder = await mkdtemp(join(tmpdir(), 'servery-bench-'));
try {
  const url = await ensurePostgres({ folder });
  const dataSource = await createDataSource(url, { poolSize: 10 }).initialize();
  try {
    await migrate(dataSource);
    await compare(dataSource);
  } finally {
    await dataSource.destroy();
  }
} finally {
  await stopDaemon(folder, 'postgres');
  await rm(folder, { recursive: true, force: true });
}

async function compare(dataSource: DataSource): Promise<void> {
  await stockBooks(dataSource);
  console.log(`${SPANS} spans of ${ACCOUNTS} accounts, one of which has a fifth of them`);
  const comparison = await alternate(
    {
      name: NAMES.ours,
      measure: () =>
        perSecond(
          () => close(dataSource),
          () => reopenBooks(dataSource),
        ),
    },
    { name: NAMES.baseline, measure: () => perSecond(() => bareAggregate(dataSource)) },
    rounds,
    UNIT,
  );
  const memory = await memoryDuring(() => close(dataSource));
  const differences = await checkBooks(dataSource.manager);
  if (differences.length > 0) throw new Error(`the books do not add up: ${JSON.stringify(differences)}`);
  console.log(`\n${report(comparison, NAMES, UNIT)}`);
  console.log(`memory of one more closing: ${memory}`);
  console.log(
    'the books add up: every second on one line, revenue is what the lines are worth, no number missing',
  );
}

async function close(dataSource: DataSource): Promise<void> {
  const { failures } = await closeMonth(dataSource, { month: MONTH, now: AFTERWARDS });
  if (failures[0]) throw failures[0].error;
}

async function perSecond(work: () => Promise<void>, afterwards = async () => {}): Promise<number> {
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  await afterwards();
  return SPANS / seconds;
}

/**
 * The peak of resident memory, and the least of the heap in each quarter of the work: what is left after a collection
 * does not grow with what has been done.
 */
async function memoryDuring(work: () => Promise<void>): Promise<string> {
  const heaps: number[] = [];
  let peak = 0;
  const timer = setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    peak = Math.max(peak, rss);
    heaps.push(heapUsed);
  }, 20);
  await work();
  clearInterval(timer);
  const quarter = Math.ceil(heaps.length / 4);
  const floors = [0, 1, 2, 3].map((n) => Math.min(...heaps.slice(n * quarter, (n + 1) * quarter)));
  const inMib = (bytes: number) => (bytes / MIB).toFixed(0);
  return `peak ${inMib(peak)} MiB resident; least heap in each quarter ${floors.map(inMib).join(', ')} MiB`;
}
