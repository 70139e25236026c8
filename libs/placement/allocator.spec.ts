import fc from 'fast-check';
import type { EntityManager } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { DomainError, newId, newUuid } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { fits, type PlacementRequest, reserve } from './allocator.ts';
import type { Demand, FilterReport } from './placement.errors.ts';
import { passOnRoom, release } from './reservations.ts';

const ORDERS = 64;
const IMAGE = newId();
const HERE = newId();
const ELSEWHERE = newId();
/** Of a server, whose frozen disk stands on the golden image. */
const SNAPSHOT = newId();
const FROZEN = newId();
const STORAGES = [newUuid(), newUuid()] as const;

interface TestHost extends Demand {
  readonly id: number;
  readonly state: 'active' | 'draining' | 'unreachable' | 'maintenance' | 'lost';
  readonly locationId: number;
  readonly hasImage: boolean;
  readonly storage?: { readonly id: string; readonly path: string } | null;
}

interface Taken extends Demand {
  readonly serverId: number;
  readonly hostId: number;
}

const hosts: fc.Arbitrary<TestHost> = fc.record({
  id: fc.constant(0).map(() => newId()),
  state: fc.oneof(
    { weight: 8, arbitrary: fc.constant('active' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'draining' as const,
        'unreachable' as const,
        'maintenance' as const,
        'lost' as const,
      ),
    },
  ),
  locationId: fc.oneof(
    { weight: 8, arbitrary: fc.constant(HERE) },
    { weight: 1, arbitrary: fc.constant(ELSEWHERE) },
  ),
  hasImage: fc.oneof(
    { weight: 8, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  vcpus: fc.integer({ min: 1, max: 32 }),
  memoryMib: fc.integer({ min: 1, max: 32 }).map((gib) => gib * 1024),
  diskGib: fc.integer({ min: 10, max: 400 }),
});

const demands: fc.Arbitrary<Demand> = fc.record({
  vcpus: fc.integer({ min: 1, max: 8 }),
  memoryMib: fc.integer({ min: 1, max: 16 }).map((half) => half * 512),
  diskGib: fc.integer({ min: 5, max: 80 }),
});

const database = testDatabase({ poolSize: ORDERS });

beforeAll(async () => {
  const { dataSource } = database;
  for (const [id, name] of [
    [HERE, 'here'],
    [ELSEWHERE, 'elsewhere'],
  ]) {
    await dataSource.query(`INSERT INTO locations VALUES ($1, $2, $2, $2, 'DE', 'eu-central')`, [id, name]);
  }
  await dataSource.query(
    `INSERT INTO images (id, name, type, volume_name, sha256, file_size_bytes, virtual_size_bytes, appliance, package_count)
     VALUES ($1, 'web', 'app', 'web.qcow2', repeat('a', 64), 1, 1, '{}', 1)`,
    [IMAGE],
  );
  await haveSnapshot();
});

describe('placement', () => {
  it('never oversells a host to 64 orders at once, refuses only what fits nowhere, and gives all of it back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(hosts, { maxLength: 6 }),
        fc.array(demands, { minLength: ORDERS, maxLength: ORDERS }),
        async (fleet, wanted) => {
          await haveFleet(fleet);
          const outcomes = await Promise.all(wanted.map((demand) => tryToReserve(demand)));
          const taken = outcomes.filter((outcome) => 'hostId' in outcome);
          const refused = outcomes.filter((outcome) => 'filters' in outcome);
          expect(taken.length + refused.length).toBe(ORDERS);
          await expectCounters(fleet, taken);
          for (const { demand, filters } of refused) expectReason(fleet, taken, demand, filters);
          await Promise.all([...taken, ...taken].map(({ serverId }) => giveBack(serverId)));
          await expectCounters(fleet, []);
        },
      ),
      // To shrink a race takes for ever, and shows nothing.
      { numRuns: 12, endOnFailure: true },
    );
  });

  it('puts what stands on a frozen disk where that is reached and the image beneath it is, and nowhere else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sharingHosts, { minLength: 1, maxLength: 6 }),
        demands,
        async (fleet, demand) => {
          await haveFleet(fleet);
          const [keeper] = fleet;
          if (!keeper) throw new Error('a fleet has a host');
          await freezeOn(keeper);
          const suits = fleet
            .filter((host) => isActive(host) && mayStandOn(host, keeper))
            .map(({ id }) => id);
          const fitting = fleet
            .filter(({ id }) => suits.includes(id))
            .filter((host) => hasRoom(host, demand));
          for (const what of [{ imageId: SNAPSHOT }, { imageId: IMAGE, besideHostId: keeper.id }]) {
            const outcome = await tryToReserve(demand, what);
            if ('hostId' in outcome) {
              expect(fitting.map(({ id }) => id)).toContain(outcome.hostId);
              await giveBack(outcome.serverId);
            } else {
              expect(fitting).toEqual([]);
              expect(outcome.filters.withImage).toBe(suits.length);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says where nobody that reaches the disk has the image beneath it', async () => {
    const size = { vcpus: 8, memoryMib: 8192, diskGib: 100 };
    const storage = { id: STORAGES[0], path: '/disks' };
    const keeper = { ...oneHost(size), state: 'draining' as const, storage };
    const elsewhere = { ...oneHost(size), storage: { ...storage, path: '/srv/disks' } };
    await haveFleet([keeper, { ...oneHost(size), hasImage: false, storage }, elsewhere, oneHost(size)]);
    await freezeOn(keeper);
    const demand = { vcpus: 1, memoryMib: 1024, diskGib: 10 };
    const wanted = { ...placeFor(demand), serverId: newId(), imageId: SNAPSHOT };
    const refused = runInTransaction(database.dataSource, (manager) => reserve(manager, wanted));
    await expect(refused).rejects.toThrow(
      '1 in reach of the disk or the server that it goes with, 0 with the image',
    );
    expect(await tryToReserve(demand, { imageId: SNAPSHOT })).toMatchObject({
      filters: { hosts: 4, active: 3, inLocation: 3, inReach: 1, withImage: 0, withDisk: 0 },
    });
  });

  it('puts what has disks from the start where those are reached that stay, with room for what lies elsewhere', async () => {
    const disks = fc.array(
      fc.record({ host: fc.nat(5), diskGib: fc.integer({ min: 1, max: 80 }), stays: fc.boolean() }),
      { minLength: 1, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(sharingHosts, { minLength: 1, maxLength: 6 }),
        demands,
        disks,
        async (fleet, demand, drawn) => {
          await haveFleet(fleet);
          const lies = drawn.map(({ host, ...disk }) => {
            const keeper = fleet[host % fleet.length];
            if (!keeper) throw new Error('a fleet has a host');
            return { ...disk, keeper };
          });
          const needs = (host: TestHost) => {
            const elsewhere = lies.filter(({ keeper }) => keeper.id !== host.id);
            return {
              ...demand,
              diskGib: elsewhere.reduce((sum, { diskGib }) => sum + diskGib, demand.diskGib),
            };
          };
          const fitting = fleet.filter(
            (host) =>
              isEligible(host) &&
              lies.every(({ stays, keeper }) => !stays || showsStorageOf(host, keeper)) &&
              hasRoom(host, needs(host)),
          );
          const along = lies.map(({ keeper, diskGib, stays }) => ({ hostId: keeper.id, diskGib, stays }));
          const outcome = await tryToReserve(demand, { along });
          if ('filters' in outcome) {
            expect([fitting, outcome.filters.withDisk]).toEqual([[], 0]);
          } else {
            const host = fitting.find(({ id }) => id === outcome.hostId);
            if (!host) throw new Error('it was put where it does not fit');
            await expectCounters(fleet, [{ ...outcome, ...needs(host) }]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('passes room on, of which none is ever had twice or lost', async () => {
    const size = { vcpus: 8, memoryMib: 8192, diskGib: 100 };
    const [one, other] = [oneHost(size), oneHost(size)];
    await haveFleet([one, other]);
    const { manager } = database.dataSource;
    const volume = { vcpus: 0, memoryMib: 0, diskGib: 30, serverId: newId(), hostId: other.id };
    const server = { vcpus: 2, memoryMib: 2048, diskGib: 50, serverId: newId(), hostId: one.id };
    await runInTransaction(database.dataSource, async (within) => {
      for (const each of [volume, server]) await reserve(within, { ...placeFor(each), ...each });
    });
    await passOnRoom(manager, { from: server.serverId, to: volume.serverId, diskGib: 30 });
    const rest = { ...server, diskGib: 20 };
    await expectCounters([one, other], [rest, { ...volume, hostId: one.id }]);
    const heir = newId();
    await passOnRoom(manager, { from: volume.serverId, to: heir, diskGib: 30 });
    await expectCounters([one, other], [rest, { ...volume, serverId: heir, hostId: one.id }]);
    const tooMuch = passOnRoom(manager, { from: server.serverId, to: newId(), diskGib: 21 });
    await expect(tooMuch).rejects.toThrow('has no 21 GiB');
  });

  it('lets a server keep its place when it asks again, also beside itself', async () => {
    const host = oneHost({ vcpus: 8, memoryMib: 8192, diskGib: 100 });
    await haveFleet([host]);
    const request = { ...placeFor({ vcpus: 2, memoryMib: 2048, diskGib: 10 }), serverId: newId() };
    const ask = () => runInTransaction(database.dataSource, (manager) => reserve(manager, request));
    expect(await ask()).toBe(host.id);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([host.id, host.id, host.id]);
    await expectCounters([host], [{ ...request, hostId: host.id }]);
  });

  it('fills the fullest host that still has room, so that large servers find an empty one', async () => {
    const roomy = oneHost({ vcpus: 16, memoryMib: 16_384, diskGib: 400 });
    const tight = oneHost({ vcpus: 4, memoryMib: 4096, diskGib: 400 });
    await haveFleet([roomy, tight]);
    const small = { vcpus: 1, memoryMib: 1024, diskGib: 10 };
    const outcomes = [];
    for (let count = 0; count < 5; count += 1) outcomes.push(await tryToReserve(small));
    const places = outcomes.map((outcome) => ('hostId' in outcome ? outcome.hostId : undefined));
    expect(places).toEqual([tight.id, tight.id, tight.id, tight.id, roomy.id]);
  });

  it('says how many hosts each filter left', async () => {
    const size = { vcpus: 8, memoryMib: 8192, diskGib: 100 };
    await haveFleet([
      { ...oneHost(size), state: 'draining' },
      { ...oneHost(size), locationId: ELSEWHERE },
      { ...oneHost(size), hasImage: false },
      oneHost({ ...size, memoryMib: 1024 }),
      oneHost({ ...size, vcpus: 1 }),
      oneHost({ ...size, diskGib: 10 }),
    ]);
    const demand = { vcpus: 2, memoryMib: 2048, diskGib: 20 };
    const outcome = await tryToReserve(demand);
    expect(outcome).toMatchObject({
      filters: {
        hosts: 6,
        active: 5,
        inLocation: 4,
        inReach: 4,
        withImage: 3,
        withMemory: 2,
        withVcpus: 1,
        withDisk: 0,
      },
    });
    expect(await fits(database.dataSource.manager, placeFor(demand))).toBe(false);
  });

  it('leaves nothing of a reservation whose transaction fails', async () => {
    const host = oneHost({ vcpus: 8, memoryMib: 8192, diskGib: 100 });
    await haveFleet([host]);
    const request = { ...placeFor({ vcpus: 8, memoryMib: 8192, diskGib: 100 }), serverId: newId() };
    const failing = runInTransaction(database.dataSource, async (manager) => {
      await reserve(manager, request);
      throw new Error('the order fails');
    });
    await expect(failing).rejects.toThrow('the order fails');
    await expectCounters([host], []);
  });
});

const sharingHosts: fc.Arbitrary<TestHost> = fc
  .tuple(
    hosts,
    fc.option(
      fc.record({
        id: fc.constantFrom(...STORAGES),
        path: fc.constantFrom('/disks', '/disks', '/srv/disks'),
      }),
    ),
  )
  .map(([host, storage]) => ({ ...host, storage }));

/** By the rule in words: its keeper has what it needs; a peer shows the same storage at the same path, and has the image. */
function mayStandOn(host: TestHost, keeper: TestHost): boolean {
  return host.id === keeper.id || (showsStorageOf(host, keeper) && host.hasImage);
}

function showsStorageOf({ id, storage }: TestHost, keeper: TestHost): boolean {
  if (id === keeper.id) return true;
  return Boolean(storage) && storage?.id === keeper.storage?.id && storage?.path === keeper.storage?.path;
}

function isActive({ state, locationId }: TestHost): boolean {
  return state === 'active' && locationId === HERE;
}

function hasRoom(host: TestHost, { vcpus, memoryMib, diskGib }: Demand): boolean {
  return host.vcpus >= vcpus && host.memoryMib >= memoryMib && host.diskGib >= diskGib;
}

/** Moves the frozen disk of the snapshot to a host. */
async function freezeOn({ id }: TestHost): Promise<void> {
  await database.dataSource.query('UPDATE frozen_disks SET host_id = $2, removed_at = NULL WHERE id = $1', [
    FROZEN,
    id,
  ]);
}

function oneHost(size: Demand): TestHost {
  return { ...size, id: newId(), state: 'active', locationId: HERE, hasImage: true };
}

/** An image on a frozen disk, which is nowhere yet. */
async function haveSnapshot(): Promise<void> {
  const { dataSource } = database;
  const [serverId, typeId] = [newId(), newId()];
  await dataSource.query(
    `INSERT INTO server_types (id, name, description, vcpus, memory_mib, disk_gib) VALUES ($1, 's1', 'S', 1, 1024, 10)`,
    [typeId],
  );
  await dataSource.query(
    `INSERT INTO servers (id, account_id, project_id, name, domain_uuid, server_type_id, disk_gib, image_id, location_id,
                          desired, observed, credential_kind)
     VALUES ($1, 1, 1, 'frozen', $2, $3, 10, $4, $5, 'running', 'running', 'password')`,
    [serverId, newUuid(), typeId, IMAGE, HERE],
  );
  await dataSource.query(
    `INSERT INTO frozen_disks (id, server_id, volume_name, consistency, image_id, golden_image_id, removed_at)
     VALUES ($1, $2, 'frozen.qcow2', 'crash', $3, $3, now())`,
    [FROZEN, serverId, IMAGE],
  );
  await dataSource.query(
    `INSERT INTO images (id, name, type, volume_name, sha256, file_size_bytes, virtual_size_bytes, appliance,
                         package_count, frozen_disk_id)
     VALUES ($1, 'of-a-server', 'app', 'frozen.qcow2', repeat('b', 64), 1, 1, '{}', 1, $2)`,
    [SNAPSHOT, FROZEN],
  );
}

function placeFor(demand: Demand) {
  return { ...demand, locationId: HERE, imageId: IMAGE };
}

async function haveFleet(fleet: readonly TestHost[]): Promise<void> {
  const { dataSource } = database;
  await dataSource.query('UPDATE frozen_disks SET host_id = NULL, removed_at = now()');
  for (const table of ['reservations', 'host_images', 'hosts'])
    await dataSource.query(`DELETE FROM ${table}`);
  for (const host of fleet) {
    await dataSource.query(
      `INSERT INTO hosts (id, name, uri, host_uuid, location_id, domain_type, domain_type_reason, state, image_pool,
                          disk_pool, bridge, vcpus, memory_mib, disk_gib, storage_id, disk_pool_path, image_pool_path)
       VALUES ($1, $2, $2, $3, $4, 'qemu', 'a test', $5, 'images', 'disks', 'br0', $6, $7, $8, $9, $10, '/images')`,
      [
        host.id,
        `kvm-${host.id}`,
        newUuid(),
        host.locationId,
        host.state,
        host.vcpus,
        host.memoryMib,
        host.diskGib,
        host.storage?.id ?? null,
        host.storage?.path ?? null,
      ],
    );
    if (host.hasImage) {
      await dataSource.query('INSERT INTO host_images (host_id, image_id) VALUES ($1, $2)', [host.id, IMAGE]);
    }
  }
}

/** A place, or what each filter left. @throws every other error, also one that a second try would mend: a deadlock */
async function tryToReserve(
  demand: Demand,
  of: Partial<PlacementRequest> = {},
): Promise<Taken | { demand: Demand; filters: FilterReport }> {
  const serverId = newId();
  const request = { ...placeFor(demand), ...of, serverId };
  try {
    const placing = (manager: EntityManager) => reserve(manager, request);
    const hostId = await runInTransaction(database.dataSource, placing, { tries: 1 });
    return { ...demand, serverId, hostId };
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'resource_unavailable') throw error;
    return { demand, filters: error.details.filters as FilterReport };
  }
}

function giveBack(serverId: number): Promise<void> {
  return runInTransaction(database.dataSource, (manager) => release(manager, serverId));
}

/** Each host's counters are what was taken of it, and that is no more than it has. */
async function expectCounters(fleet: readonly TestHost[], taken: readonly Taken[]): Promise<void> {
  const rows = await database.dataSource.query<unknown[]>(
    `SELECT id, used_vcpus AS vcpus, used_memory_mib AS "memoryMib", used_disk_gib AS "diskGib" FROM hosts ORDER BY id`,
  );
  const ordered = fleet.toSorted((a, b) => a.id - b.id);
  expect(rows).toEqual(ordered.map((host) => ({ id: host.id, ...usedOf(host, taken) })));
  for (const host of ordered) {
    const used = usedOf(host, taken);
    expect(used.vcpus).toBeLessThanOrEqual(host.vcpus);
    expect(used.memoryMib).toBeLessThanOrEqual(host.memoryMib);
    expect(used.diskGib).toBeLessThanOrEqual(host.diskGib);
    if (used.vcpus > 0) expect(isEligible(host)).toBe(true);
  }
  const reserved = await database.dataSource.query<{ id: number }[]>(
    'SELECT server_id AS id FROM reservations ORDER BY 1',
  );
  expect(reserved.map(({ id }) => id)).toEqual(taken.map(({ serverId }) => serverId).sort((a, b) => a - b));
}

function usedOf({ id }: TestHost, taken: readonly Taken[]): Demand {
  const here = taken.filter(({ hostId }) => hostId === id);
  const sum = (part: keyof Demand) => here.reduce((total, one) => total + one[part], 0);
  return { vcpus: sum('vcpus'), memoryMib: sum('memoryMib'), diskGib: sum('diskGib') };
}

function isEligible({ state, locationId, hasImage }: TestHost): boolean {
  return state === 'active' && locationId === HERE && hasImage;
}

/** Room only shrank while the orders ran: what was refused still fits nowhere, and the story it was told is true. */
function expectReason(
  fleet: readonly TestHost[],
  taken: readonly Taken[],
  demand: Demand,
  filters: FilterReport,
) {
  const active = fleet.filter(({ state }) => state === 'active');
  const located = active.filter(({ locationId }) => locationId === HERE);
  const eligible = fleet.filter(isEligible);
  expect(filters).toMatchObject({
    hosts: fleet.length,
    active: active.length,
    inLocation: located.length,
    inReach: located.length,
    withImage: eligible.length,
    withDisk: 0,
  });
  expect(filters.withMemory).toBeLessThanOrEqual(eligible.length);
  expect(filters.withVcpus).toBeLessThanOrEqual(filters.withMemory);
  const room = eligible.filter((host) => {
    const used = usedOf(host, taken);
    return (
      host.vcpus - used.vcpus >= demand.vcpus &&
      host.memoryMib - used.memoryMib >= demand.memoryMib &&
      host.diskGib - used.diskGib >= demand.diskGib
    );
  });
  expect(room).toEqual([]);
}
