import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { asSuperuser } from '../../test/support/superuser.ts';
import { testDatabase } from '../../test/support/test-database.ts';
import { ensureBooks } from './billing-accounts.ts';
import { monthStart, toDate } from './calendar.ts';
import { checkBooks } from './check-books.ts';
import { closeAccount } from './close-account.ts';
import { closeMonth } from './close-month.ts';
import { accountsPerhapsAbove, openAmountMinor } from './open-usage.ts';
import { changePrice, firstPrice, type PriceItem } from './price-book.ts';
import {
  closeServer,
  openServer,
  reimageServer,
  resizeServer,
  startServer,
  stopServer,
} from './server-usage.ts';
import { closeUsage, openUsage, type Subscriber } from './usage-spans.ts';

const database = testDatabase();
const TYPES = ['a', 'b'];
const LATER = new Date('2500-01-01T00:00:00Z');

type Step =
  | {
      readonly kind: 'open' | 'close' | 'stop' | 'start' | 'resize' | 'reimage' | 'backup' | 'no_backup';
      readonly server: 0 | 1;
    }
  | { readonly kind: 'invoice' }
  | { readonly kind: 'price'; readonly hourlyMicro: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('open', 'close', 'stop', 'start', 'resize', 'reimage', 'backup', 'no_backup'),
      server: fc.constantFrom(0, 1),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'invoice' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('price' as const), hourlyMicro: fc.nat(5_000_000) }),
  },
);

const story = fc.array(
  fc.record({
    step,
    type: fc.constantFrom(...TYPES),
    image: fc.constantFrom('web', 'mail', 'unpriced'),
    /** Until the next step; some follow at once, some much later. */
    waitSeconds: fc.oneof(fc.nat(3), fc.nat(120), fc.nat(10 * 86_400)),
    /** How far the clock of the one who tells it is off. */
    skewMilliseconds: fc.oneof(fc.constant(0), fc.integer({ min: -90_000, max: 90_000 })),
  }),
  { minLength: 5, maxLength: 40 },
);

/** A customer of a time of its own, so that prices of one run are not the past of another. */
let century = 2030;
async function customer(): Promise<{ servers: [Subscriber, Subscriber]; accountId: number; start: number }> {
  const accountId = newId();
  const start = Date.UTC(century++, 2, 28, 23, 50) / 1000;
  const server = (serverName: string): Subscriber => {
    return { accountId, projectId: newId(), serverId: newId(), serverName, currency: 'eur' };
  };
  await ensureBooks(database.dataSource.manager, accountId, 'eur', toDate(start - 1000));
  return { servers: [server('one'), server('two')], accountId, start };
}

async function price(item: PriceItem, hourlyMicro: number): Promise<void> {
  await firstPrice(database.dataSource.manager, { item, title: item, hourlyMicro });
}

async function play(
  accountId: number,
  servers: [Subscriber, Subscriber],
  now: number,
  event: {
    readonly step: Step;
    readonly type: string;
    readonly image: string;
    readonly skewMilliseconds: number;
  },
): Promise<void> {
  const { dataSource } = database;
  const at = new Date(now * 1000 + event.skewMilliseconds);
  const { step } = event;
  if (step.kind === 'invoice') {
    await closeAccount(dataSource, accountId, {
      until: toDate(now - 30),
      now: toDate(now),
      reason: 'threshold',
    });
    return;
  }
  if (step.kind === 'price') {
    const change = { item: `compute/${event.type}` as const, hourlyMicro: step.hourlyMicro };
    const changed = changePrice(dataSource.manager, {
      ...change,
      effectiveFrom: toDate(now),
      now: toDate(now),
    });
    await changed.catch((error) => expect(error).toMatchObject({ code: 'price_in_the_past' }));
    return;
  }
  const server = servers[step.server];
  const { serverId } = server;
  await runInTransaction(dataSource, async (manager) => {
    const size = { serverTypeName: event.type, isRunning: true };
    if (step.kind === 'open') await openServer(manager, { ...server, ...size, imageName: 'web' }, at);
    if (step.kind === 'close') await closeServer(manager, serverId, at);
    if (step.kind === 'stop') await stopServer(manager, serverId, at);
    if (step.kind === 'start') await startServer(manager, serverId, at);
    if (step.kind === 'backup') {
      await openUsage(manager, server, [{ item: 'backup/gib', slot: 'daily', quantity: 7 }], at);
    }
    if (step.kind === 'no_backup') {
      await closeUsage(manager, serverId, { part: { component: 'backup', slot: 'daily' }, at });
    }
    const changed =
      step.kind === 'resize'
        ? resizeServer(manager, serverId, size, at)
        : step.kind === 'reimage' && reimageServer(manager, serverId, event.image, at);
    if (changed) await changed.catch((error) => expect(error).toMatchObject({ code: 'usage_not_open' }));
  });
}

/** The same spans for another customer, whose books are closed by the month alone. */
async function twinOf(accountId: number): Promise<number> {
  const twin = newId();
  const { dataSource } = database;
  await dataSource.query(
    `INSERT INTO billing_accounts (account_id, currency, sealed_until, billed_until)
     SELECT $2, currency, min(opened_at), min(opened_at) FROM billing_accounts JOIN usage_spans USING (account_id)
     WHERE account_id = $1 GROUP BY currency`,
    [accountId, twin],
  );
  await dataSource.query(
    `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, slot, price_item, quantity, opened_at,
                              closed_at)
     SELECT id - 1, $2, project_id, server_id - 1, server_name, slot, price_item, quantity, opened_at, closed_at
     FROM usage_spans WHERE account_id = $1`,
    [accountId, twin],
  );
  return twin;
}

function billed(accountId: number): Promise<unknown[]> {
  return database.dataSource.query(
    `SELECT server_name, component, title, hourly_micro, date_trunc('month', used_from) AS month,
            sum(seconds) AS seconds, sum(billed_seconds) AS billed, sum(amount_micro) AS micro,
            sum(amount_minor) AS minor
     FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.account_id = $1
     GROUP BY 1, 2, 3, 4, 5 HAVING sum(seconds) <> 0 ORDER BY 1, 2, 3, 4, 5`,
    [accountId],
  );
}

/** Who owes more than a threshold is among those who are looked at, however little it is more. */
async function expectSeenAbove(accountId: number, now: number): Promise<void> {
  const { manager } = database.dataSource;
  for (const until of [now, now + 3600, now + 40 * 86_400].map(toDate)) {
    const threshold = (await openAmountMinor(manager, accountId, until)) - 1;
    if (threshold < 0) continue;
    const thresholds = { new: threshold, paid_once: threshold, trusted: threshold };
    const seen: number[] = [];
    for await (const one of accountsPerhapsAbove(manager, until, thresholds)) seen.push(one.accountId);
    expect(seen).toContain(accountId);
  }
}

describe('whatever happens in whatever order', () => {
  it('every second is invoiced once, invoices equal the spans, and the books balance', async () => {
    await price('backup/gib', 11);
    for (const type of TYPES) {
      await price(`compute/${type}`, 500_000);
      await price(`disk/${type}`, 125_001);
    }
    await price('image/web', 33_333);
    await price('image/mail', 1_200_001);
    await fc.assert(
      fc.asyncProperty(story, async (events) => {
        const { servers, accountId, start } = await customer();
        let now = start;
        for (const event of events) {
          await play(accountId, servers, now, event);
          now += event.waitSeconds;
        }
        const { dataSource } = database;
        await expectSeenAbove(accountId, now);
        const hasSpans = await dataSource.query<unknown[]>(
          'SELECT 1 FROM usage_spans WHERE account_id = $1 LIMIT 1',
          [accountId],
        );
        const twin = hasSpans.length > 0 ? await twinOf(accountId) : undefined;
        // The month after, so that what is still open has run on for more than one.
        const end = { until: toDate(monthStart(now + 40 * 86_400)), now: LATER, reason: 'month' as const };
        await closeAccount(dataSource, accountId, end);
        expect(await closeAccount(dataSource, accountId, end)).toEqual([]);
        if (twin !== undefined) {
          await closeAccount(dataSource, twin, end);
          expect(await billed(twin)).toEqual(await billed(accountId));
        }
        expect(await dataSource.transaction('REPEATABLE READ', checkBooks)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a server that is resized and deleted within the second that it was opened in', () => {
  it('is billed for one minimum, whichever of its spans the database reads first', async () => {
    const { dataSource } = database;
    for (let run = 0; run < 10; run += 1) {
      const { servers, accountId, start } = await customer();
      const at = toDate(start);
      await dataSource.transaction(async (manager) => {
        await openServer(
          manager,
          { ...servers[0], serverTypeName: 'a', imageName: 'no', isRunning: true },
          at,
        );
        await resizeServer(manager, servers[0].serverId, { serverTypeName: 'b', isRunning: true }, at);
        await closeServer(manager, servers[0].serverId, at);
      });
      const closing = { until: toDate(start + 100), now: LATER, reason: 'manual' as const };
      await closeAccount(dataSource, accountId, closing);
      const [{ seconds }] = await dataSource.query<[{ seconds: number }]>(
        `SELECT sum(seconds)::int AS seconds FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id
         WHERE i.account_id = $1 AND component = 'disk'`,
        [accountId],
      );
      expect(seconds).toBe(60);
      expect(await dataSource.transaction('REPEATABLE READ', checkBooks)).toEqual([]);
    }
  });
});

describe('closing a month', () => {
  const month = new Date('2029-05-20T00:00:00Z');

  /** So many customers with a server each, used throughout the month and beyond. */
  async function stock(count: number): Promise<number[]> {
    await price('compute/m', 123_457);
    const ids = Array.from({ length: count }, newId);
    await database.dataSource.query(
      `INSERT INTO billing_accounts (account_id, currency, sealed_until, billed_until)
       SELECT id, 'eur', '2029-05-01Z', '2029-05-01Z' FROM unnest($1::bigint[]) AS id`,
      [ids],
    );
    await database.dataSource.query(
      `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at)
       SELECT id, id, id, id, 'vm', 'compute/m', '2029-05-07T08:15:03Z' FROM unnest($1::bigint[]) AS id`,
      [ids],
    );
    return ids;
  }

  async function invoicesOf(ids: number[]): Promise<{ invoices: number; accounts: number }> {
    const [row] = await database.dataSource.query<{ invoices: number; accounts: number }[]>(
      `SELECT count(*) AS invoices, count(DISTINCT account_id) AS accounts FROM invoices
       WHERE account_id = ANY($1)`,
      [ids],
    );
    return row ?? { invoices: 0, accounts: 0 };
  }

  it('makes one invoice when several close it at once, and none when it is closed again', async () => {
    const ids = await stock(30);
    const close = () => closeMonth(database.dataSource, { month, now: LATER });
    const reports = await Promise.all([close(), close(), close()]);
    expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
    expect(reports.reduce((sum, { invoices }) => sum + invoices, 0)).toBe(30);
    expect(await invoicesOf(ids)).toEqual({ invoices: 30, accounts: 30 });
    expect(await close()).toMatchObject({ invoices: 0, lines: 0 });
    expect(await checkBooks(database.dataSource.manager)).toEqual([]);
  });

  it('goes on where it was when its connections are cut again and again', async () => {
    const ids = await stock(60);
    for (let cuts = 0, isDone = false; !isDone; cuts += 1) {
      const run = closeMonth(database.dataSource, { month, now: LATER }).catch(() => ({
        failures: ['cut off'],
      }));
      if (cuts < 6) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        // By a connection of its own: those of the pool are dead, and not all of them are known to be.
        await asSuperuser(database, (manager) =>
          manager.query(
            `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()`,
          ),
        );
      }
      const { failures } = await run;
      // The last cut may come when all is closed: what is left of the pool is known after one more run.
      isDone = cuts >= 6 && failures.length === 0;
    }
    expect(await invoicesOf(ids)).toEqual({ invoices: 60, accounts: 60 });
    expect(await checkBooks(database.dataSource.manager)).toEqual([]);
  });

  it('refuses a month that is not over', async () => {
    await stock(1);
    const early = closeMonth(database.dataSource, { month, now: new Date('2029-05-31T23:59:59Z') });
    await expect(early).rejects.toMatchObject({ code: 'period_not_over' });
  });
});
