import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccountsService, accountsEntities } from '#libs/accounts';
import { catalogEntities, Location, ServerType, seedCatalog } from '#libs/catalog';
import { type Image, ImagesService, imagesEntities } from '#libs/images';
import { newId, newUuid } from '#libs/kernel';
import { addAddresses } from '#libs/networks';
import { FindingsService, HostsService, placementEntities } from '#libs/placement';
import type { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore, serversEntities } from '#libs/servers';
import { testDatabase } from '../../test/support/test-database.ts';
import { OrderPlacer } from './order-placer.ts';
import { ordersEntities } from './orders.module.ts';
import type { ServerOrder } from './server-order.ts';

const entities = [
  ...accountsEntities,
  ...catalogEntities,
  ...imagesEntities,
  ...ordersEntities,
  ...placementEntities,
  ...serversEntities,
];
const TABLES = ['servers', 'orders', 'actions', 'sagas', 'reservations', 'server_secrets'];
const database = testDatabase({ entities, poolSize: 20 });
const queue = { poke: async () => {} } as unknown as SagaQueue;

let placer: OrderPlacer;
let request: Omit<ServerOrder, 'serverId' | 'name'>;
let count = 0;

beforeAll(async () => {
  const { dataSource } = database;
  const { manager } = dataSource;
  const place = { name: 'lab', description: 'Lab', city: 'Berlin', country: 'DE', networkZone: 'eu-central' };
  await seedCatalog(manager, place);
  const location = await manager.getRepository(Location).findOneByOrFail({ name: 'lab' });
  const image = await stockHost(location.id);
  const accounts = new AccountsService(dataSource);
  const { account, project } = await accounts.signUp({ email: 'a@example.test', password: 'correct horse' });
  const secrets = new SecretsStore(new EnvelopeCipher([Buffer.alloc(32, 1)]));
  const findings = new FindingsService(dataSource);
  placer = new OrderPlacer(dataSource, new SagaStore(dataSource), queue, secrets, findings);
  request = {
    accountId: account.id,
    projectId: project.id,
    currency: 'eur',
    serverType: await manager.getRepository(ServerType).findOneByOrFail({ name: 's1' }),
    image,
    location,
    sshPublicKeys: [],
    labels: {},
    startAfterCreate: true,
    passwordDelivery: 'answer',
  };
});

beforeEach(async () => {
  const { dataSource } = database;
  for (const table of [...TABLES.toReversed(), 'findings']) await dataSource.query(`DELETE FROM ${table}`);
  await dataSource.query(
    'UPDATE hosts SET used_vcpus = 0, used_memory_mib = 0, used_disk_gib = 0, vcpus = 32',
  );
  await dataSource.query('UPDATE addresses SET server_id = NULL');
  await dataSource.query('UPDATE accounts SET max_servers = 5, max_vcpus = 8, max_memory_mib = 16384');
});

describe('an order', () => {
  it('is kept to the limits of its account, however many come at once', async () => {
    await database.dataSource.query('UPDATE accounts SET max_servers = 3');
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => place()));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(9).fill('resource_limit_exceeded'));
    expect(await rowCounts()).toEqual(
      Object.fromEntries(TABLES.map((table) => [table, table === 'server_secrets' ? 6 : 3])),
    );
    expect(await heldAddresses()).toBe(3);
  });

  it.each([
    ['max_vcpus', 'vCPUs'],
    ['max_memory_mib', 'MiB of memory'],
  ])('names the limit that it meets: %s', async (limit, words) => {
    await database.dataSource.query(`UPDATE accounts SET ${limit} = 0`);
    await expect(place()).rejects.toThrow(words);
    await expectNothing();
  });

  it('leaves nothing behind and tells the operator when no host has room', async () => {
    await database.dataSource.query('UPDATE hosts SET vcpus = 1, used_vcpus = 1');
    await expect(place()).rejects.toMatchObject({ code: 'resource_unavailable' });
    await expect(place()).rejects.toMatchObject({ code: 'resource_unavailable' });
    await expectNothing();
    expect(await findings()).toEqual([{ kind: 'out_of_capacity', subject: 's1 in lab' }]);
  });

  it('leaves nothing behind and tells the operator when the addresses are used up', async () => {
    await database.dataSource.query("UPDATE addresses SET server_id = ip - inet '10.99.0.0'");
    const before = await heldAddresses();
    await expect(place()).rejects.toMatchObject({ code: 'addresses_exhausted' });
    expect(await heldAddresses()).toBe(before);
    expect(Object.values(await rowCounts()).every((rows) => rows === 0)).toBe(true);
    expect(await findings()).toHaveLength(1);
  });

  it('takes a name once in a project', async () => {
    await place('same');
    await expect(place('same')).rejects.toMatchObject({ code: 'server_name_taken' });
    expect(await rowCounts()).toMatchObject({ servers: 1, orders: 1, sagas: 1, reservations: 1 });
  });
});

function place(name = `server-${count++}`) {
  return placer.place({ ...request, serverId: newId(), name });
}

async function rowCounts(): Promise<Record<string, number>> {
  const counts = TABLES.map(async (table) => {
    const [row] = await database.dataSource.query<[{ rows: number }]>(
      `SELECT count(*) AS rows FROM ${table}`,
    );
    return [table, row.rows] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

async function heldAddresses(): Promise<number> {
  const held = await database.dataSource.query<unknown[]>(
    'SELECT 1 FROM addresses WHERE server_id IS NOT NULL',
  );
  return held.length;
}

function findings(): Promise<unknown[]> {
  return database.dataSource.query('SELECT kind, subject FROM findings WHERE resolved_at IS NULL');
}

async function expectNothing(): Promise<void> {
  expect(await rowCounts()).toEqual(Object.fromEntries(TABLES.map((table) => [table, 0])));
  expect(await heldAddresses()).toBe(0);
}

/** One host that has the one image, and ten addresses. */
async function stockHost(locationId: number): Promise<Image> {
  const { dataSource } = database;
  const { manager } = dataSource;
  const images = new ImagesService(dataSource);
  const image = await images.register(manager, {
    appliance: {
      name: 'web',
      title: 'Web',
      summary: 'nginx',
      description: 'nginx',
      category: 'web',
      iconSvg: '<svg/>',
      osFlavor: 'debian',
      osVersion: '12',
      licence: 'various',
      ports: [],
      healthChecks: [],
      minimumMemoryMib: 512,
      minimumDiskGib: 4,
    },
    sha256: 'a'.repeat(64),
    fileSizeBytes: 1,
    virtualSizeBytes: 1,
    packageCount: 1,
  });
  const host = await new HostsService(dataSource).save(manager, {
    name: 'kvm-1',
    uri: 'simulated:kvm-1',
    hostUuid: newUuid(),
    locationId,
    domainType: 'qemu',
    domainTypeReason: 'a test',
    imagePool: 'images',
    diskPool: 'disks',
    bridge: 'br0',
    vcpus: 32,
    memoryMib: 65_536,
    diskGib: 1000,
  });
  await images.recordOnHost(manager, image.id, host.id);
  const pool = { locationId, firstIp: '10.99.0.10', count: 10, prefixLength: 24, gateway: '10.99.0.1' };
  await addAddresses(manager, pool);
  return image;
}
