import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { BillingError } from './billing.errors.ts';
import { ensureBooks, lockBooks } from './billing-accounts.ts';
import { type Component, type PriceItem, priced } from './price-book.ts';

/** Whose usage it is. */
export interface Subscriber {
  readonly accountId: number;
  readonly projectId: number;
  readonly serverId: number;
  /** As invoices call it. */
  readonly serverName: string;
  readonly currency: string;
}

/** Something that is used from now on. */
export interface Usage {
  readonly item: PriceItem;
  /** Which of several: the address, the snapshot; empty for what a server has once. */
  readonly slot?: string;
  /** GiB of a snapshot, backup or volume; 1 unless told. */
  readonly quantity?: number;
}

/** A part of what a server uses; without a slot all of the component's. */
export interface Part {
  readonly component: Component;
  readonly slot?: string;
}

/**
 * Opens spans at `at` (the transaction's moment unless told), from the next whole second on, so that nothing is billed
 * before it is had. What is open already stays open. A moment in a period that is closed counts from that period's
 * end.
 * @throws BillingError `price_missing` when one of the items has no price
 */
export async function openUsage(
  manager: EntityManager,
  subscriber: Subscriber,
  usages: readonly Usage[],
  at?: Date,
): Promise<void> {
  await assertPriced(manager, usages);
  const from = await sealedMoment(manager, subscriber, at, 'up');
  await insertSpans(manager, subscriber, usages, from);
}

/**
 * Closes a server's open spans at `at` (the transaction's moment unless told), at the last whole second: all of
 * them, or those of `part`. Success where none is open.
 */
export async function closeUsage(
  manager: EntityManager,
  serverId: number,
  options: { readonly part?: Part; readonly at?: Date } = {},
): Promise<void> {
  const subscriber = await subscriberOf(manager, serverId);
  if (!subscriber) return;
  const until = await sealedMoment(manager, subscriber, options.at, 'down');
  await closeSpans(manager, serverId, options.part, until);
}

/**
 * Replaces what a server uses, as a resize does: closes the spans of the components named and opens others at the
 * very same second, within the caller's transaction.
 * @throws BillingError `price_missing`; `usage_not_open` when the server uses nothing now
 */
export async function changeUsage(
  manager: EntityManager,
  serverId: number,
  usages: readonly Usage[],
  at?: Date,
): Promise<void> {
  await assertPriced(manager, usages);
  const subscriber = await subscriberOf(manager, serverId);
  if (!subscriber) throw new BillingError('usage_not_open', `server ${serverId} is not billed now`);
  const moment = await sealedMoment(manager, subscriber, at, 'down');
  const [latest] = await manager.query<{ openedAt: Date | null }[]>(
    `SELECT max(opened_at) AS "openedAt" FROM usage_spans WHERE server_id = $1 AND closed_at IS NULL`,
    [serverId],
  );
  const change = new Date(Math.max(moment.getTime(), latest?.openedAt?.getTime() ?? 0));
  for (const usage of usages) {
    await closeSpans(
      manager,
      serverId,
      { component: componentOf(usage.item), slot: usage.slot ?? '' },
      change,
    );
  }
  await insertSpans(manager, subscriber, usages, change);
}

/** The component that an item belongs to: what its code begins with. */
export function componentOf(item: PriceItem): Component {
  return item.slice(0, item.indexOf('/')) as Component;
}

async function insertSpans(
  manager: EntityManager,
  { accountId, projectId, serverId, serverName }: Subscriber,
  usages: readonly Usage[],
  from: Date,
): Promise<void> {
  await manager.query(
    `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, slot, quantity, opened_at)
     SELECT n.id, $1, $2, $3, $4, n.item, n.slot, n.quantity,
            -- A clock may be behind the one that closed the span before.
            greatest($5::timestamptz, (SELECT max(u.closed_at) FROM usage_spans u WHERE u.server_id = $3
              AND u.component = split_part(n.item, '/', 1) AND u.slot = n.slot))
     FROM unnest($6::bigint[], $7::text[], $8::text[], $9::int[]) AS n (id, item, slot, quantity)
     WHERE NOT EXISTS (SELECT 1 FROM usage_spans u WHERE u.server_id = $3 AND u.closed_at IS NULL
                       AND u.component = split_part(n.item, '/', 1) AND u.slot = n.slot)`,
    [
      accountId,
      projectId,
      serverId,
      serverName,
      from,
      usages.map(() => newId()),
      usages.map(({ item }) => item),
      usages.map(({ slot }) => slot ?? ''),
      usages.map(({ quantity }) => quantity ?? 1),
    ],
  );
}

async function closeSpans(
  manager: EntityManager,
  serverId: number,
  part: Part | undefined,
  until: Date,
): Promise<void> {
  await manager.query(
    `UPDATE usage_spans SET closed_at = greatest($2::timestamptz, opened_at)
     WHERE server_id = $1 AND closed_at IS NULL AND ($3::text IS NULL OR component = $3)
       AND ($4::text IS NULL OR slot = $4)`,
    [serverId, until, part?.component ?? null, part?.slot ?? null],
  );
}

async function assertPriced(manager: EntityManager, usages: readonly Usage[]): Promise<void> {
  const items = usages.map(({ item }) => item);
  const known = await priced(manager, items);
  const missing = items.filter((item) => !known.has(item));
  if (missing.length === 0) return;
  throw new BillingError('price_missing', `no price is set for ${missing.join(', ')}; the operator sets it`);
}

async function subscriberOf(manager: EntityManager, serverId: number): Promise<Subscriber | undefined> {
  const [row] = await manager.query<Subscriber[]>(
    `SELECT u.account_id AS "accountId", u.project_id AS "projectId", u.server_id AS "serverId",
            u.server_name AS "serverName", b.currency
     FROM usage_spans u JOIN billing_accounts b USING (account_id)
     WHERE u.server_id = $1 AND u.closed_at IS NULL LIMIT 1`,
    [serverId],
  );
  return row;
}

/** The whole second that counts: not before the period that is closed. Holds off sealing until the transaction ends. */
async function sealedMoment(
  manager: EntityManager,
  { accountId, currency }: Subscriber,
  at: Date | undefined,
  round: 'up' | 'down',
): Promise<Date> {
  const told = at ?? (await transactionMoment(manager));
  await ensureBooks(manager, accountId, currency, told);
  const { sealedUntil } = await lockBooks(manager, accountId, 'usage', currency);
  const second = round === 'up' ? Math.ceil(told.getTime() / 1000) : Math.floor(told.getTime() / 1000);
  return new Date(Math.max(second * 1000, sealedUntil.getTime()));
}

async function transactionMoment(manager: EntityManager): Promise<Date> {
  const [row] = await manager.query<{ now: Date }[]>('SELECT money_now() AS now');
  if (!row) throw new Error('PostgreSQL told no time');
  return row.now;
}
