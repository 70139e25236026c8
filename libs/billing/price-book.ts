import type { EntityManager } from 'typeorm';
import { sqlConstraint } from '#libs/database';
import { BillingError } from './billing.errors.ts';
import { HOUR_SECONDS } from './calendar.ts';
import { CAPPED_SECONDS } from './rating.ts';

/** What is billed of a server. `compute` is CPU and RAM, apart from `disk`, so that a stopped server costs less. */
export type Component = 'compute' | 'disk' | 'image' | 'address' | 'snapshot' | 'backup' | 'volume';

/** `<component>/<name>`: `compute/s1`, `image/groupware`, `address/ipv4`, `snapshot/gib`, `volume/gib`. */
export type PriceItem = `${Component}/${string}`;

/** The price of one unit of an item for an hour, in millionths of the minor unit. */
export interface Price {
  readonly item: PriceItem;
  readonly hourlyMicro: number;
}

export interface PriceVersion extends Price {
  readonly title: string;
  readonly effectiveFrom: Date;
}

/** Prices an item that has no price yet, as of ever. One that has a price keeps it. */
export async function firstPrice(manager: EntityManager, price: Price & { title: string }): Promise<void> {
  await manager.query('INSERT INTO price_items (code, title) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    price.item,
    price.title,
  ]);
  await manager.query(
    `INSERT INTO price_versions (item, effective_from, hourly_micro) SELECT $1, 'epoch', $2
     WHERE NOT EXISTS (SELECT 1 FROM price_versions WHERE item = $1) ON CONFLICT DO NOTHING`,
    [price.item, price.hourlyMicro],
  );
}

/**
 * Changes a price from a moment on, for all that runs then. The whole second from `effectiveFrom` on counts.
 * @returns the price that held until that moment, in millionths of the minor unit
 * @throws BillingError `price_item_not_found`; `price_in_the_past` when that moment has passed, is in a period that
 * was invoiced, or has a price already: nothing that was used changes its price
 */
export async function changePrice(
  manager: EntityManager,
  change: Price & { readonly effectiveFrom: Date; readonly now: Date },
): Promise<number> {
  await lockPriceBook(manager, 'change');
  const known = await manager.query<unknown[]>('SELECT 1 FROM price_items WHERE code = $1', [change.item]);
  if (known.length === 0) throw new BillingError('price_item_not_found', `nothing is sold as ${change.item}`);
  try {
    await manager.query(
      `INSERT INTO price_versions (item, effective_from, hourly_micro, recorded_at)
       VALUES ($1, date_trunc('second', $2::timestamptz), $3, date_trunc('second', $4::timestamptz))`,
      [change.item, change.effectiveFrom, change.hourlyMicro, change.now],
    );
  } catch (error) {
    if (!['price_not_in_the_past', 'price_versions_pkey'].includes(sqlConstraint(error) ?? '')) throw error;
    throw new BillingError(
      'price_in_the_past',
      `the price of ${change.item} can change from now on only, and once a second; give a later moment`,
      { cause: error },
    );
  }
  return priceBefore(manager, change.item, change.effectiveFrom);
}

/** Every item has a price since ever, which nothing can stand before. */
async function priceBefore(manager: EntityManager, item: PriceItem, moment: Date): Promise<number> {
  const [row] = await manager.query<{ hourlyMicro: number }[]>(
    `SELECT hourly_micro AS "hourlyMicro" FROM price_versions
     WHERE item = $1 AND effective_from < date_trunc('second', $2::timestamptz) ORDER BY effective_from DESC LIMIT 1`,
    [item, moment],
  );
  if (row) return row.hourlyMicro;
  throw new BillingError('price_missing', `${item} has no price before ${moment.toISOString()}`);
}

const PRICE_BOOK_LOCK = 7_370_210_411;

/** Until the transaction ends: one changes prices, or some seal periods, so that what is sealed has its prices. */
export async function lockPriceBook(manager: EntityManager, lock: 'change' | 'keep'): Promise<void> {
  const mode = lock === 'change' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
  await manager.query(`SELECT ${mode}($1)`, [PRICE_BOOK_LOCK]);
}

/** Every version of every price, an item's oldest first. */
export async function priceVersions(manager: EntityManager): Promise<PriceVersion[]> {
  return manager.query<PriceVersion[]>(
    `SELECT v.item, i.title, v.effective_from AS "effectiveFrom", v.hourly_micro AS "hourlyMicro"
     FROM price_versions v JOIN price_items i ON i.code = v.item ORDER BY v.item, v.effective_from`,
  );
}

/** What one unit of each of `items` costs in a month at most, in millionths of the minor unit; without a price nothing. */
export async function monthlyPrices<I extends PriceItem>(
  manager: EntityManager,
  items: readonly I[],
): Promise<Readonly<Record<I, number>>> {
  const rows = await manager.query<{ item: I; hourlyMicro: number }[]>(
    `SELECT DISTINCT ON (item) item, hourly_micro AS "hourlyMicro" FROM price_versions
     WHERE item = ANY($1) AND effective_from <= now() ORDER BY item, effective_from DESC`,
    [items],
  );
  const hours = CAPPED_SECONDS / HOUR_SECONDS;
  const known = new Map(rows.map(({ item, hourlyMicro }) => [item, hourlyMicro * hours]));
  return Object.fromEntries(items.map((item) => [item, known.get(item) ?? 0])) as Record<I, number>;
}

/** Those of `items` that have a price at a moment. */
export async function priced(
  manager: EntityManager,
  items: readonly PriceItem[],
): Promise<ReadonlySet<PriceItem>> {
  const rows = await manager.query<{ item: PriceItem }[]>(
    'SELECT DISTINCT item FROM price_versions WHERE item = ANY($1)',
    [items],
  );
  return new Set(rows.map(({ item }) => item));
}
