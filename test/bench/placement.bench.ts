import type { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { catalogEntities } from '#libs/catalog';
import { imagesEntities } from '#libs/images';
import { ordersEntities } from '#libs/orders';
import { placementEntities } from '#libs/placement';
import { serversEntities } from '#libs/servers';
import { withBenchDatabase } from './bench-database.ts';
import { measureBareTransaction } from './placement/bare-transaction.ts';
import {
  CLIENTS,
  HOSTS,
  resetFleet,
  shrinkFleet,
  stockMarketplace,
  verifyPlacements,
} from './placement/marketplace.ts';
import { createPlacer, measurePlacer, orderTooMany } from './placement/placer.ts';
import { alternate, report, roundsWanted } from './rounds.ts';

/**
 * A durable placement (limits, server, address, action, order, saga and reservation in one transaction) against a
 * bare pgbench transaction that writes the same rows, on a private PostgreSQL with the settings of `up`.
 */
const SECONDS = 5;
/** As many connections as the API keeps. */
const POOL_SIZE = 20;
const ROOM = 1000;
const NAMES = { ours: 'orders placed', baseline: 'bare pgbench transaction' };
const UNIT = 'per second';

const rounds = roundsWanted(3, 3);
const entities = [
  ...accountsEntities,
  ...catalogEntities,
  ...imagesEntities,
  ...ordersEntities,
  ...placementEntities,
  ...serversEntities,
];
await withBenchDatabase({ entities, poolSize: POOL_SIZE }, compare);

async function compare(dataSource: DataSource, url: string) {
  const goods = await stockMarketplace(dataSource);
  const placer = createPlacer(dataSource);
  console.log(`${CLIENTS} clients, ${HOSTS} hosts, ${SECONDS} s each`);
  await measurePlacer(dataSource, placer, goods, 2);
  const comparison = await alternate(
    { name: NAMES.ours, measure: () => measurePlacer(dataSource, placer, goods, SECONDS) },
    { name: NAMES.baseline, measure: () => measureBareTransaction(dataSource, url, goods, SECONDS) },
    rounds,
    UNIT,
  );
  await resetFleet(dataSource, goods);
  await shrinkFleet(dataSource, goods, ROOM);
  const taken = await orderTooMany(placer, goods, ROOM + 3 * CLIENTS);
  await verifyPlacements(dataSource, taken);
  console.log(`\n${report(comparison, NAMES, UNIT)}`);
  console.log(
    `no oversubscription: a fleet with room for ${ROOM} took ${taken} of ${ROOM + 3 * CLIENTS} orders`,
  );
}
