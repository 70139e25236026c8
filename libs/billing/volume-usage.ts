import type { EntityManager } from 'typeorm';
import { type PriceItem, priced } from './price-book.ts';
import { changeUsage, openUsage, type Subscriber } from './usage-spans.ts';

const VOLUME: PriceItem = 'volume/gib';

/** Billing of a volume begins, by the GiB, where volumes have a price: `serverId` is the volume's id. */
export async function openVolume(
  manager: EntityManager,
  subscriber: Subscriber,
  sizeGib: number,
): Promise<void> {
  if ((await priced(manager, [VOLUME])).has(VOLUME)) {
    await openUsage(manager, subscriber, [{ item: VOLUME, quantity: sizeGib }]);
  }
}

/** A volume has another size from now on: one span closes and another opens. Success where it is not billed. */
export async function resizeVolume(manager: EntityManager, volumeId: number, sizeGib: number): Promise<void> {
  const [open] = await manager.query<unknown[]>(
    'SELECT FROM usage_spans WHERE server_id = $1 AND closed_at IS NULL LIMIT 1',
    [volumeId],
  );
  if (open) await changeUsage(manager, volumeId, [{ item: VOLUME, quantity: sizeGib }]);
}
