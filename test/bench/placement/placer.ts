import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { DomainError } from '#libs/kernel';
import { OrderPlacer } from '#libs/orders';
import { FindingsService } from '#libs/placement';
import type { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore } from '#libs/servers';
import { CLIENTS, type Goods, orderOf, resetFleet, verifyPlacements } from './marketplace.ts';

/** The alarm comes after the commit and is no part of what makes an order durable. */
const silent = { poke: async () => {} } as Pick<SagaQueue, 'poke'> as SagaQueue;

/** The real thing, as the API has it. */
export function createPlacer(dataSource: DataSource): OrderPlacer {
  return new OrderPlacer(
    dataSource,
    new SagaStore(dataSource),
    silent,
    new SecretsStore(new EnvelopeCipher([randomBytes(32)])),
    new FindingsService(dataSource),
  );
}

/** Orders for `seconds` with 64 clients, checks what came of it, and returns the orders per second. */
export async function measurePlacer(
  dataSource: DataSource,
  placer: OrderPlacer,
  goods: Goods,
  seconds: number,
): Promise<number> {
  await resetFleet(dataSource, goods);
  const started = performance.now();
  const counts = await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) =>
      orderUntil(placer, goods, client, started + seconds * 1000),
    ),
  );
  const passed = (performance.now() - started) / 1000;
  const placed = counts.reduce((sum, count) => sum + count, 0);
  await verifyPlacements(dataSource, placed);
  return placed / passed;
}

async function orderUntil(
  placer: OrderPlacer,
  goods: Goods,
  client: number,
  deadline: number,
): Promise<number> {
  let count = 0;
  for (; performance.now() < deadline; count += 1) await placer.place(orderOf(goods, client, count));
  return count;
}

/** 64 clients order `orders` servers of a fleet that cannot take them all. Returns how many it took. */
export async function orderTooMany(placer: OrderPlacer, goods: Goods, orders: number): Promise<number> {
  let placed = 0;
  const each = Math.ceil(orders / CLIENTS);
  const orderAll = async (client: number) => {
    for (let count = 0; count < each; count += 1) {
      if (await isPlaced(placer.place(orderOf(goods, client, count)))) placed += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => orderAll(client)));
  return placed;
}

/** False when there was no room. */
async function isPlaced(order: Promise<unknown>): Promise<boolean> {
  try {
    await order;
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'resource_unavailable') return false;
    throw error;
  }
}
