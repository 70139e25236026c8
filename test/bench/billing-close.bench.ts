import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { DataSource } from 'typeorm';
import { checkBooks, closeMonth } from '#libs/billing';
import { withBenchDatabase } from './bench-database.ts';
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
await withBenchDatabase({ poolSize: 10 }, compare);

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
  const peakMib = process.resourceUsage().maxRSS / 1024;
  const living = await livingDuring(() => close(dataSource));
  const differences = await checkBooks(dataSource.manager);
  if (differences.length > 0) {
    const some = JSON.stringify(differences.slice(0, 10));
    throw new Error(`the books do not add up in ${differences.length} places: ${some}`);
  }
  console.log(`\n${report(comparison, NAMES, UNIT)}`);
  console.log(
    `memory: ${peakMib.toFixed(0)} MiB resident at its peak; living in each quarter of one more closing ${living} MiB`,
  );
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

/** What lives in memory in each quarter of the work, seen by collecting garbage: flat when it does not grow with it. */
async function livingDuring(work: () => Promise<void>): Promise<string> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const samples: number[] = [];
  const timer = setInterval(() => {
    collect();
    samples.push(process.memoryUsage().heapUsed / MIB);
  }, 250);
  await work();
  clearInterval(timer);
  const quarter = Math.ceil(samples.length / 4);
  const most = [0, 1, 2, 3].map((n) => Math.max(...samples.slice(n * quarter, (n + 1) * quarter)));
  return most.map((mib) => mib.toFixed(0)).join(', ');
}
