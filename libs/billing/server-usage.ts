import type { EntityManager } from 'typeorm';
import { monthlyPrices, type PriceItem, priced } from './price-book.ts';
import { billingSettings } from './settings.ts';
import { changeUsage, closeUsage, openUsage, type Subscriber, type Usage } from './usage-spans.ts';

/** A server as it is billed: by its type, and by its image where that has a price. */
export interface BilledServer extends Subscriber {
  readonly serverTypeName: string;
  readonly imageName: string;
  readonly isRunning: boolean;
}

/**
 * Billing of a server begins, at the transaction's moment unless told.
 * @throws BillingError `price_missing` when its type has no price
 */
export async function openServer(manager: EntityManager, server: BilledServer, at?: Date): Promise<void> {
  const usages = [...(await typeUsages(manager, server)), ...(await imageUsages(manager, server.imageName))];
  await openUsage(manager, server, usages, at);
}

/** Billing of a snapshot or backup begins, by the GiB, where those have a price: `serverId` is the image's id. */
export async function openImage(
  manager: EntityManager,
  subscriber: Subscriber,
  component: 'snapshot' | 'backup',
  sizeGib: number,
): Promise<void> {
  const item: PriceItem = `${component}/gib`;
  if ((await priced(manager, [item])).has(item))
    await openUsage(manager, subscriber, [{ item, quantity: sizeGib }]);
}

/** Billing of a server and of all that belongs to it ends. Success where it is not billed. */
export async function closeServer(manager: EntityManager, serverId: number, at?: Date): Promise<void> {
  await closeUsage(manager, serverId, at ? { at } : {});
}

/** A server is of another type from now on: one span closes and another opens. @throws BillingError */
export async function resizeServer(
  manager: EntityManager,
  serverId: number,
  to: Pick<BilledServer, 'serverTypeName' | 'isRunning'>,
  at?: Date,
): Promise<void> {
  await changeUsage(manager, serverId, await typeUsages(manager, to), at);
}

/**
 * A server is of another image from now on: what the former one costs ends, and what this one costs begins, in the same
 * second. What is the same goes on. @throws BillingError `usage_not_open`
 */
export async function reimageServer(
  manager: EntityManager,
  serverId: number,
  imageName: string,
  at?: Date,
): Promise<void> {
  const usages = await imageUsages(manager, imageName);
  if ((await openImageItem(manager, serverId)) === usages[0]?.item) return;
  if (usages.length > 0) return changeUsage(manager, serverId, usages, at);
  await closeUsage(manager, serverId, { part: { component: 'image' }, ...(at ? { at } : {}) });
}

/** Whether a server would cost more than now if it were of another image. */
export async function isDearerImage(
  manager: EntityManager,
  serverId: number,
  imageName: string,
): Promise<boolean> {
  const [had, wanted]: [PriceItem | undefined, PriceItem] = [
    await openImageItem(manager, serverId),
    `image/${imageName}`,
  ];
  const prices = await monthlyPrices<PriceItem>(manager, had ? [had, wanted] : [wanted]);
  return (prices[wanted] ?? 0) > (had ? (prices[had] ?? 0) : 0);
}

/**
 * A server has been stopped: CPU and RAM are not billed until it starts, unless the operator bills them all the same.
 * Success where it is not billed at all.
 */
export async function stopServer(manager: EntityManager, serverId: number, at?: Date): Promise<void> {
  if ((await billingSettings(manager)).stoppedComputeBilled) return;
  await closeUsage(manager, serverId, { part: { component: 'compute' }, ...(at ? { at } : {}) });
}

/** A server was seen running or off: CPU and RAM are billed accordingly. */
export async function billPower(
  manager: EntityManager,
  serverId: number,
  seen: 'running' | 'off',
): Promise<void> {
  await (seen === 'running' ? startServer : stopServer)(manager, serverId);
}

/** A server has been started: CPU and RAM of its type are billed again. Success where it is not billed at all. */
export async function startServer(manager: EntityManager, serverId: number, at?: Date): Promise<void> {
  const [disk] = await manager.query<(Subscriber & { item: string })[]>(
    `SELECT u.account_id AS "accountId", u.project_id AS "projectId", u.server_id AS "serverId",
            u.server_name AS "serverName", b.currency, u.price_item AS item
     FROM usage_spans u JOIN billing_accounts b USING (account_id)
     WHERE u.server_id = $1 AND u.component = 'disk' AND u.closed_at IS NULL`,
    [serverId],
  );
  if (!disk) return;
  await openUsage(manager, disk, [{ item: disk.item.replace(/^disk/, 'compute') as PriceItem }], at);
}

/** What a server's type costs now: its CPU and RAM while it runs, or always where the operator bills them so. */
async function typeUsages(
  manager: EntityManager,
  { serverTypeName, isRunning }: Pick<BilledServer, 'serverTypeName' | 'isRunning'>,
): Promise<Usage[]> {
  const disk: Usage = { item: `disk/${serverTypeName}` };
  if (!isRunning && !(await billingSettings(manager)).stoppedComputeBilled) return [disk];
  return [disk, { item: `compute/${serverTypeName}` }];
}

/** What is billed of its image now; undefined for nothing. */
async function openImageItem(manager: EntityManager, serverId: number): Promise<PriceItem | undefined> {
  const [open] = await manager.query<{ item: PriceItem }[]>(
    `SELECT price_item AS item FROM usage_spans
     WHERE server_id = $1 AND component = 'image' AND closed_at IS NULL`,
    [serverId],
  );
  return open?.item;
}

/** What its image costs beside its type: nothing where that has no price. */
async function imageUsages(manager: EntityManager, imageName: string): Promise<Usage[]> {
  const item: PriceItem = `image/${imageName}`;
  return (await priced(manager, [item])).has(item) ? [{ item }] : [];
}
