import type { EntityManager } from 'typeorm';
import { type EpochSecond, monthStart, toDate } from './calendar.ts';
import {
  type Charge,
  chargesOf,
  MINIMUM_SECONDS,
  type Period,
  type Prices,
  type SpanTime,
} from './rating.ts';

/** A span as an invoice line tells of it. */
export interface BilledSpan extends SpanTime {
  readonly serverId: number;
  readonly serverName: string;
  readonly component: string;
  readonly slot: string;
  readonly title: string;
}

export type SpanCharge = Charge & { readonly span: BilledSpan };

/** Spans read at a time. Memory holds one such chunk and the spans of one component of one server. */
const CHUNK = 2000;

interface Place {
  readonly serverId: number;
  readonly component: string;
  readonly slot: string;
}

type Row = BilledSpan & { readonly openedAt: Date };

/** The prices of every item, as rating wants them. */
export async function loadPrices(manager: EntityManager): Promise<Prices> {
  const rows = await manager.query<{ item: string; from: number; hourlyMicro: number }[]>(
    `SELECT item, extract(epoch FROM effective_from)::bigint AS "from", hourly_micro AS "hourlyMicro"
     FROM price_versions ORDER BY item, effective_from`,
  );
  return Map.groupBy(rows, ({ item }) => item);
}

/**
 * What an account's spans cost in a period that lies in one month, in chunks, each server's parts together. Memory
 * does not grow with the number of spans.
 */
export async function* accountCharges(
  manager: EntityManager,
  accountId: number,
  prices: Prices,
  period: Period,
): AsyncGenerator<SpanCharge[]> {
  for await (const places of accountPlaces(manager, accountId, period)) {
    const charges = places.flatMap((spans) => chargesOf(spans, prices, period) as SpanCharge[]);
    if (charges.length > 0) yield charges;
  }
}

/** The spans that reach into a period's month before the period's end, in chunks of whole places, by time in each. */
export async function* accountPlaces(
  manager: EntityManager,
  accountId: number,
  period: Period,
): AsyncGenerator<BilledSpan[][]> {
  let open: BilledSpan[] = [];
  for await (const rows of spanChunks(manager, accountId, period)) {
    const places: BilledSpan[][] = [];
    for (const row of rows) {
      const [first] = open;
      if (first && !isSamePlace(first, row)) {
        places.push(open.sort(byTime));
        open = [];
      }
      open.push(row);
    }
    yield places;
  }
  if (open.length > 0) yield [open.sort(byTime)];
}

/**
 * A span that closed when it opened comes before the one that opened at the same second; of several such the one with
 * the highest id is the last, whose minimum counts, in the daily check as here.
 */
function byTime(a: BilledSpan, b: BilledSpan): number {
  const end = ({ closed }: BilledSpan) => closed ?? Number.MAX_SAFE_INTEGER;
  return a.opened - b.opened || end(a) - end(b) || a.id - b.id;
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.serverId === b.serverId && a.component === b.component && a.slot === b.slot;
}

/** Spans that reach into the period's month before the period's end, by place and time. */
async function* spanChunks(manager: EntityManager, accountId: number, period: Period): AsyncGenerator<Row[]> {
  let after: Row | undefined;
  for (;;) {
    const rows = await readChunk(manager, accountId, period, after);
    if (rows.length > 0) yield rows;
    if (rows.length < CHUNK) return;
    after = rows.at(-1);
  }
}

function readChunk(
  manager: EntityManager,
  accountId: number,
  { from, until }: Period,
  after: Row | undefined,
): Promise<Row[]> {
  const reachesFrom: EpochSecond = monthStart(from) - MINIMUM_SECONDS;
  return manager.query<Row[]>(
    `SELECT u.id, u.server_id AS "serverId", u.server_name AS "serverName", u.component, u.slot, i.title,
            u.price_item AS item, u.quantity, u.opened_at AS "openedAt",
            extract(epoch FROM u.opened_at)::bigint AS opened, extract(epoch FROM u.closed_at)::bigint AS closed
     FROM usage_spans u JOIN price_items i ON i.code = u.price_item
     WHERE u.account_id = $1 AND u.opened_at < $2 AND (u.closed_at IS NULL OR u.closed_at > $3)
       AND (u.server_id, u.component, u.slot, u.opened_at, u.id) > ($4, $5, $6, $7, $8)
     ORDER BY u.server_id, u.component, u.slot, u.opened_at, u.id LIMIT ${CHUNK}`,
    [
      accountId,
      toDate(until),
      toDate(reachesFrom),
      after?.serverId ?? 0,
      after?.component ?? '',
      after?.slot ?? '',
      after?.openedAt ?? new Date(0),
      after?.id ?? 0,
    ],
  );
}
