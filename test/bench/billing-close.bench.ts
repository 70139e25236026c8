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
  const peaks = await memoryDuring(() => close(dataSource));
  const differences = await checkBooks(dataSource.manager);
  if (differences.length > 0) throw new Error(`the books do not add up: ${JSON.stringify(differences)}`);
  console.log(`\n${report(comparison, NAMES, UNIT)}`);
  console.log(`peak resident memory in the quarters of one more closing: ${peaks} MiB`);
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

/** The resident memory's peak in each quarter of some work: flat when it does not grow with what has been done. */
async function memoryDuring(work: () => Promise<void>): Promise<string> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(process.memoryUsage.rss() / MIB), 20);
  await work();
  clearInterval(timer);
  const quarter = Math.ceil(samples.length / 4);
  const peaks = [0, 1, 2, 3].map((n) => Math.max(...samples.slice(n * quarter, (n + 1) * quarter)));
  return peaks.map((mib) => mib.toFixed(0)).join(', ');
}
