import type { DataSource } from 'typeorm';
import { CatalogService, seedCatalog } from '#libs/catalog';
import { ImagesService } from '#libs/images';
import { newId, newUuid } from '#libs/kernel';
import { addAddresses } from '#libs/networks';
import type { ServerOrder } from '#libs/orders';

export const HOSTS = 200;
export const CLIENTS = 64;
/** Each client orders for accounts of its own, so that none grows to more servers than a real one has. */
export const ACCOUNTS_PER_CLIENT = 100;
/** The pool of 10.64.0.0/10; the last of it is taken by the servers that stand, and no round takes the rest. */
const ADDRESSES = 60_000;
const STANDING = CLIENTS * ACCOUNTS_PER_CLIENT;
const STANDING_PER_HOST = STANDING / HOSTS;
export const FREE_ADDRESSES = ADDRESSES - STANDING;

const HOST = { vcpus: 256, memoryMib: 524_288, diskGib: 20_000 };

/** What all orders of the benchmark have in common. */
export type Goods = Pick<ServerOrder, 'serverType' | 'image' | 'location'>;

/** A marketplace of 200 hosts, with room, addresses and accounts for every round. */
export async function stockMarketplace(dataSource: DataSource): Promise<Goods> {
  const { manager } = dataSource;
  const place = { name: 'bench', description: 'Bench', city: 'Here', country: 'DE', networkZone: 'bench' };
  await seedCatalog(manager, place);
  const images = new ImagesService(dataSource);
  const catalog = new CatalogService(dataSource, images);
  const location = await catalog.location('bench');
  const image = await images.register(manager, {
    appliance: {
      name: 'debian-12',
      title: 'Debian 12',
      summary: 'bare',
      description: 'bare',
      category: 'system',
      iconSvg: '<svg xmlns="http://www.w3.org/2000/svg"/>',
      osFlavor: 'debian',
      osVersion: '12',
      licence: 'various',
      ports: [],
      healthChecks: [],
      minimumMemoryMib: 512,
      minimumDiskGib: 4,
    },
    sha256: '0'.repeat(64),
    fileSizeBytes: 1,
    virtualSizeBytes: 1,
    packageCount: 1,
  });
  await manager.query(
    `INSERT INTO hosts (id, name, uri, host_uuid, location_id, domain_type, domain_type_reason, state, image_pool,
                        disk_pool, bridge, vcpus, memory_mib, disk_gib)
     SELECT n, 'kvm' || n, 'simulated:kvm' || n, gen_random_uuid(), $1, 'kvm', 'a benchmark', 'active', 'images',
            'disks', 'br0', $2, $3, $4
     FROM generate_series(1, $5::int) AS n`,
    [location.id, HOST.vcpus, HOST.memoryMib, HOST.diskGib, HOSTS],
  );
  await manager.query('INSERT INTO host_images (host_id, image_id) SELECT id, $1 FROM hosts', [image.id]);
  await manager.query(
    `INSERT INTO accounts (id, email, password_hash, name, max_servers, max_vcpus, max_memory_mib)
     SELECT n, n || '@example.com', '', 'Bench', 1000000, 1000000, 1000000000
     FROM generate_series(1, $1::int) AS n`,
    [CLIENTS * ACCOUNTS_PER_CLIENT],
  );
  await addAddresses(manager, {
    locationId: location.id,
    firstIp: '10.64.0.1',
    count: ADDRESSES,
    prefixLength: 10,
    gateway: '10.64.0.0',
  });
  return { serverType: await catalog.serverType('s1'), image, location };
}

/** An order for the `count`-th server of `client`. */
export function orderOf(goods: Goods, client: number, count: number): ServerOrder {
  const accountId = 1 + client * ACCOUNTS_PER_CLIENT + (count % ACCOUNTS_PER_CLIENT);
  return {
    ...goods,
    serverId: newId(),
    accountId,
    projectId: accountId,
    currency: 'eur',
    name: newUuid(),
    sshPublicKeys: [`ssh-ed25519 ${'A'.repeat(68)} bench`],
    labels: {},
    startAfterCreate: true,
    passwordDelivery: 'answer',
  };
}

/**
 * Every round starts from the same fleet, on which each account has one server: PostgreSQL plans for tables that have
 * rows, as those of a marketplace have.
 */
export async function resetFleet(
  dataSource: DataSource,
  { serverType, image, location }: Goods,
): Promise<void> {
  const { vcpus, memoryMib, diskGib, priceHourlyMicro, priceMonthlyMinor } = serverType;
  await dataSource.query(`
    DELETE FROM server_secrets;
    DELETE FROM reservations;
    DELETE FROM sagas;
    DELETE FROM orders;
    DELETE FROM actions;
    DELETE FROM servers;
    INSERT INTO servers (id, account_id, project_id, name, domain_uuid, server_type_id, disk_gib, image_id, location_id,
                         desired, observed, credential_kind)
    SELECT n, n, n, n, gen_random_uuid(), ${serverType.id}, ${diskGib}, ${image.id}, ${location.id}, 'running', 'running', 'ssh_key'
    FROM generate_series(1, ${STANDING}) AS n;
    INSERT INTO actions (id, project_id, server_id, saga_id, command, status, finished_at)
    SELECT id, project_id, id, id, 'create_server', 'success', now() FROM servers;
    INSERT INTO orders (id, account_id, project_id, server_id, action_id, saga_id, status, hold_amount_minor,
                        currency, price_hourly_micro, price_monthly_minor)
    SELECT id, account_id, project_id, id, id, id, 'fulfilled', 0, 'eur', ${priceHourlyMicro}, ${priceMonthlyMinor}
    FROM servers;
    INSERT INTO sagas (id, name, params, state, action_id, subject_type, subject_id, finished_at)
    SELECT id, 'provision-server', jsonb_build_object('serverId', id), 'done', id, 'server', id, now() FROM servers;
    INSERT INTO reservations (server_id, host_id, vcpus, memory_mib, disk_gib)
    SELECT id, 1 + id % ${HOSTS}, ${vcpus}, ${memoryMib}, ${diskGib} FROM servers;
    UPDATE hosts SET used_vcpus = ${vcpus * STANDING_PER_HOST}, used_memory_mib = ${memoryMib * STANDING_PER_HOST},
                     used_disk_gib = ${diskGib * STANDING_PER_HOST};
    UPDATE addresses SET released_at = NULL,
                         server_id = nullif(greatest(ip - inet '10.64.0.0' - ${FREE_ADDRESSES}, 0), 0)`);
  // VACUUM runs in no transaction, and several statements of one query are one.
  await dataSource.query('VACUUM FULL hosts');
  await dataSource.query('VACUUM FULL addresses');
  await dataSource.query('VACUUM ANALYZE');
  await dataSource.query('CHECKPOINT');
}

/** Sets every host so small that the fleet takes `servers` more of these and no more. */
export async function shrinkFleet(dataSource: DataSource, goods: Goods, servers: number): Promise<void> {
  const { vcpus, memoryMib, diskGib } = goods.serverType;
  const perHost = STANDING_PER_HOST + Math.ceil(servers / HOSTS);
  await dataSource.query('UPDATE hosts SET vcpus = $1, memory_mib = $2, disk_gib = $3', [
    vcpus * perHost,
    memoryMib * perHost,
    diskGib * perHost,
  ]);
}

/** @throws Error unless `placed` orders stand whole in the database and no host has promised more than it has. */
export async function verifyPlacements(dataSource: DataSource, placed: number): Promise<void> {
  const [counts] = await dataSource.query<Record<string, number>[]>(
    `SELECT (SELECT count(*) FROM orders) AS orders,
            (SELECT count(*) FROM servers) AS servers,
            (SELECT count(*) FROM actions) AS actions,
            (SELECT count(*) FROM sagas) AS sagas,
            (SELECT count(*) FROM reservations) AS reservations,
            (SELECT count(*) FROM addresses WHERE server_id IS NOT NULL) AS addresses`,
  );
  for (const [what, count] of Object.entries(counts ?? {})) {
    if (count !== STANDING + placed)
      throw new Error(`${placed} orders were placed on ${STANDING}, and there are ${count} ${what}`);
  }
  const wrong = await dataSource.query<{ name: string }[]>(
    `SELECT h.name FROM hosts h LEFT JOIN reservations r ON r.host_id = h.id
     GROUP BY h.id
     HAVING coalesce(sum(r.vcpus), 0) <> h.used_vcpus OR coalesce(sum(r.vcpus), 0) > h.vcpus
         OR coalesce(sum(r.memory_mib), 0) <> h.used_memory_mib OR coalesce(sum(r.memory_mib), 0) > h.memory_mib
         OR coalesce(sum(r.disk_gib), 0) <> h.used_disk_gib OR coalesce(sum(r.disk_gib), 0) > h.disk_gib`,
  );
  if (wrong.length > 0) throw new Error(`oversold: ${wrong.map(({ name }) => name).join(', ')}`);
}
