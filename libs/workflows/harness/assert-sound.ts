import assert from 'node:assert/strict';
import { IsNull, Not } from 'typeorm';
import { checkBooks, creditBalanceMinor } from '#libs/billing';
import { ServerType } from '#libs/catalog';
import { Image } from '#libs/images';
import { Iso } from '#libs/isos';
import { gibToBytes } from '#libs/kernel';
import type { Ledger } from '#libs/payments/emulator';
import { diskVolumeName, FrozenDisk, Rescue, rescueSeedName, rescueVolumeName, Server } from '#libs/servers';
import { Volume, volumeFileName } from '#libs/volumes';
import type { ServerWorld } from './server-world.ts';

/** What the emulator has of the world's money. */
export async function ledgerOf({ emulatorUrl }: ServerWorld): Promise<Ledger> {
  return (await (await fetch(`${emulatorUrl}/_emulator/ledger`)).json()) as Ledger;
}

/** Rows of one column each, in order. */
async function column(world: ServerWorld, sql: string, values: unknown[] = []): Promise<unknown[]> {
  const rows = await world.dataSource.query<{ value: unknown }[]>(sql, values);
  return rows.map(({ value }) => value);
}

/**
 * The clean slate: with nothing under way, there is exactly what the living servers have, on both sides of the
 * fence, and no money is held, lost or taken twice. @throws AssertionError naming what is left or missing.
 */
export async function assertSound(world: ServerWorld): Promise<void> {
  await world.events.processDue();
  await assertServersSound(world);
  await assertMoney(world);
}

/** The same but for the money. @throws AssertionError naming what is left or missing */
export async function assertServersSound(world: ServerWorld): Promise<void> {
  const living = await world.dataSource
    .getRepository(Server)
    .find({ where: { deletedAt: IsNull() }, order: { id: 'ASC' } });
  const ids = living.map(({ id }) => id);
  const suspensions = await suspensionsIn(world);
  const shown = living.filter(({ id }) => !suspensions.get(id)?.retiredAt);
  assert.deepEqual(await nothingUnderWay(world), { sagas: [], actions: [], orders: [], findings: [] });
  const volumes = await world.dataSource
    .getRepository(Volume)
    .find({ where: { deletedAt: IsNull() }, order: { id: 'ASC' } });
  assert.deepEqual(await heldInDatabase(world), {
    reservations: [...ids, ...volumes.map(({ id }) => id)].sort((a, b) => a - b),
    addresses: living.filter(({ ipv4 }) => ipv4 !== null).map(({ id }) => id),
    heirs: living.filter(({ network }) => network === 'closed').map(({ id }) => id),
    ports: await expectedPorts(world, shown),
    bootSecrets: [],
    passwordsOfTheDead: [],
    openSpans: shown.map(({ id }) => id),
    openVolumes: volumes
      .filter(({ retiredAt }) => retiredAt === null)
      .map(({ id, sizeGib }) => `${id} ${sizeGib}`),
    openCompute: living.filter(({ observed }) => observed === 'running').map(({ id }) => id),
  });
  await assertCountersAddUp(world);
  await assertSizesAgree(world);
  await assertHostHas(world, living, volumes, suspensions);
}

/** What stands of suspensions, by server: each is whole, and of a server that lives. */
async function suspensionsIn(world: ServerWorld): Promise<ReadonlyMap<number, { retiredAt: Date | null }>> {
  const rows = await world.dataSource.query<{ id: number; whole: boolean; retiredAt: Date | null }[]>(
    `SELECT x.server_id AS id, x.suspended_at IS NOT NULL AND s.deleted_at IS NULL AS whole, x.retired_at AS "retiredAt"
     FROM server_suspensions x JOIN servers s ON s.id = x.server_id`,
  );
  assert.deepEqual(
    rows.filter(({ whole }) => !whole),
    [],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function nothingUnderWay(world: ServerWorld) {
  return {
    sagas: await column(world, `SELECT name AS value FROM sagas WHERE finished_at IS NULL`),
    actions: await column(world, `SELECT command AS value FROM actions WHERE status = 'running'`),
    orders: await column(world, `SELECT id AS value FROM orders WHERE status = 'placed'`),
    findings: await column(world, `SELECT kind AS value FROM findings WHERE resolved_at IS NULL`),
  };
}

async function heldInDatabase(world: ServerWorld) {
  return {
    reservations: await column(world, `SELECT server_id AS value FROM reservations ORDER BY 1`),
    addresses: await column(
      world,
      `SELECT server_id AS value FROM addresses WHERE server_id IS NOT NULL ORDER BY 1`,
    ),
    heirs: await column(world, 'SELECT server_id AS value FROM address_heirs ORDER BY 1'),
    ports: await column(world, `SELECT host(ip) || ':' || port AS value FROM test_ports ORDER BY ip, port`),
    bootSecrets: await column(
      world,
      `SELECT kind AS value FROM server_secrets WHERE kind NOT IN ('root_password', 'application') ORDER BY 1`,
    ),
    passwordsOfTheDead: await column(
      world,
      `SELECT id AS value FROM servers JOIN server_secrets ON server_id = id WHERE deleted_at IS NOT NULL`,
    ),
    openSpans: await column(
      world,
      `SELECT server_id AS value FROM usage_spans WHERE component = 'disk' AND closed_at IS NULL ORDER BY 1`,
    ),
    openVolumes: await column(
      world,
      `SELECT server_id || ' ' || quantity AS value FROM usage_spans
       WHERE component = 'volume' AND closed_at IS NULL ORDER BY server_id`,
    ),
    openCompute: await column(
      world,
      `SELECT server_id AS value FROM usage_spans WHERE component = 'compute' AND closed_at IS NULL ORDER BY 1`,
    ),
  };
}

async function expectedPorts(world: ServerWorld, living: readonly Server[]): Promise<unknown[]> {
  return column(
    world,
    `SELECT host(ip) || ':' || port AS value FROM (
       SELECT DISTINCT a.ip, (port ->> 'port')::int AS port
       FROM addresses a JOIN servers s ON s.id = a.server_id JOIN images i ON i.id = coalesce(s.upgraded_to, s.image_id)
       CROSS JOIN jsonb_array_elements(i.appliance -> 'ports' || '[{"port": 22}]') AS port
       WHERE s.id = ANY($1)) AS shown ORDER BY ip, port`,
    [living.map(({ id }) => id)],
  );
}

async function assertCountersAddUp(world: ServerWorld): Promise<void> {
  const wrong = await world.dataSource.query<unknown[]>(
    `SELECT h.name, h.used_memory_mib, h.used_vcpus, h.used_disk_gib FROM hosts h
     LEFT JOIN (SELECT host_id, sum(memory_mib) AS memory_mib, sum(vcpus) AS vcpus, sum(disk_gib) AS disk_gib
                FROM reservations GROUP BY host_id) r ON r.host_id = h.id
     WHERE (h.used_memory_mib, h.used_vcpus, h.used_disk_gib)
       <> (coalesce(r.memory_mib, 0), coalesce(r.vcpus, 0), coalesce(r.disk_gib, 0))`,
  );
  assert.deepEqual(wrong, []);
}

/** Each server has the room of its size, and what is open of it is of its type. */
async function assertSizesAgree(world: ServerWorld): Promise<void> {
  const wrong = await world.dataSource.query<unknown[]>(
    `SELECT s.id, r, u.price_item FROM servers s JOIN server_types t ON t.id = s.server_type_id
     JOIN reservations r ON r.server_id = s.id
     LEFT JOIN usage_spans u ON u.server_id = s.id AND u.closed_at IS NULL AND u.component IN ('compute', 'disk')
     WHERE (r.vcpus, r.memory_mib, r.disk_gib) <> (t.vcpus, t.memory_mib, s.disk_gib)
        OR u.price_item <> u.component || '/' || t.name`,
  );
  assert.deepEqual(wrong, []);
}

/** Domains, disks and guests of the hosts are those of the living servers, in the state that is shown. */
async function assertHostHas(
  world: ServerWorld,
  living: readonly Server[],
  volumes: readonly Volume[],
  suspensions: ReadonlyMap<number, unknown>,
): Promise<void> {
  const [host = ''] = world.fleet.hostNames();
  const filesOn = await volumeFilesByHost(world, volumes);
  const hosts = await world.dataSource.query<{ id: number; name: string }[]>('SELECT id, name FROM hosts');
  const defined = hosts.flatMap(({ name: on }) => world.fleet.domains(on).map((domain) => ({ on, domain })));
  const domains = defined.map(({ on, domain }) => {
    const { uuid, state, diskVolume, seedVolume, ipv4, network, vcpus, memoryMib } = domain;
    const disk = world.fleet.volumes(on).find(({ name }) => name === diskVolume);
    const size = { vcpus, memoryMib, diskBytes: disk?.capacityBytes };
    const had = domain.volumes.map(({ volumeName }) => volumeName).sort();
    const hostKey = disk?.guest?.hostKey;
    const { rescue, iso } = domain;
    return { on, uuid, state, diskVolume, seedVolume, ipv4, network, hostKey, size, had, rescue, iso };
  });
  const inherited = await inheritedAddresses(world);
  const types = await world.dataSource.getRepository(ServerType).find();
  const isos = await world.dataSource.getRepository(Iso).find();
  const rescues = await world.dataSource.getRepository(Rescue).findBy({ removedAt: IsNull() });
  const wanted = living.map((server) => ({
    size: sizeOf(server, types),
    on: hosts.find(({ id }) => id === server.hostId)?.name,
    uuid: server.domainUuid,
    state: server.observed,
    diskVolume: diskVolumeName(server),
    seedVolume: undefined,
    ipv4: server.ipv4 ?? inherited.get(server.id),
    network: suspensions.has(server.id) ? 'closed' : server.network,
    hostKey: server.hostKey,
    had: volumes
      .filter(({ serverId }) => serverId === server.id)
      .map(volumeFileName)
      .sort(),
    rescue: rescues
      .filter(({ serverId, bootedAt }) => serverId === server.id && bootedAt !== null)
      .map((rescue) => ({ diskVolume: rescueVolumeName(rescue) }))
      .at(0),
    iso: isos.find(({ id }) => id === server.isoId)?.volumeName,
  }));
  assert.deepEqual(byUuid(domains), byUuid(wanted));
  const whole = { frozenDiskId: IsNull(), deletedAt: IsNull(), status: 'available' } as const;
  const images = await world.dataSource
    .getRepository(Image)
    .findBy([{ projectId: IsNull() }, { projectId: Not(IsNull()), ...whole }]);
  const frozen = await world.dataSource.getRepository(FrozenDisk).findBy({ removedAt: IsNull() });
  assert.deepEqual(
    world.fleet
      .volumes(host)
      .map(({ name }) => name)
      .sort(),
    [
      ...[...images, ...frozen].map(({ volumeName }) => volumeName),
      ...frozen.flatMap(({ memoryVolumeName }) => memoryVolumeName ?? []),
      ...living.map(diskVolumeName),
      ...rescues.map(rescueVolumeName),
      ...isos.filter(({ deletedAt }) => deletedAt === null).map(({ volumeName }) => volumeName),
      ...rescues.filter(({ bootedAt }) => bootedAt === null).map(rescueSeedName),
      ...(filesOn.get(host) ?? []),
    ].sort(),
  );
  for (const other of world.fleet.hostNames().filter((name) => name !== host)) {
    const shows = world.fleet.volumes(other).filter(({ pool, name }) => {
      const isShared = world.fleet.host(other).diskStorage !== null;
      return !isShared || !world.fleet.volume(host, pool, name);
    });
    const files = shows.map(({ name }) => name);
    const shared = new Set(filesOn.get(host));
    const own = (filesOn.get(other) ?? []).filter((file) => !shared.has(file));
    assert.deepEqual(files.sort(), own.sort());
  }
}

/** Files of volumes that each host should show, by its name: its own, and those of hosts with which it shares storage. */
async function volumeFilesByHost(
  world: ServerWorld,
  volumes: readonly Volume[],
): Promise<ReadonlyMap<string, string[]>> {
  const hosts = await world.dataSource.query<{ id: number; name: string }[]>('SELECT id, name FROM hosts');
  const storageOf = (name: string) => world.fleet.host(name).diskStorage ?? name;
  return new Map(
    hosts.map(({ name }) => {
      const shown = hosts.filter((other) => storageOf(other.name) === storageOf(name)).map(({ id }) => id);
      return [name, volumes.filter(({ hostId }) => shown.includes(hostId ?? 0)).map(volumeFileName)];
    }),
  );
}

/** As it is ordered and billed. */
function sizeOf({ serverTypeId, diskGib }: Server, types: readonly ServerType[]) {
  const type = types.find(({ id }) => id === serverTypeId);
  return { vcpus: type?.vcpus, memoryMib: type?.memoryMib, diskBytes: gibToBytes(diskGib) };
}

/** Addresses that exact clones wait for, by clone. */
async function inheritedAddresses(world: ServerWorld): Promise<ReadonlyMap<number, string>> {
  const rows = await world.dataSource.query<{ id: number; ip: string }[]>(
    'SELECT server_id AS id, host(ip) AS ip FROM address_heirs',
  );
  return new Map(rows.map(({ id, ip }) => [id, ip]));
}

function byUuid<T extends { uuid: string }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => a.uuid.localeCompare(b.uuid));
}

/** Nothing is held; every served order was captured once and in full, no other at all; credit is what was taken. */
async function assertMoney(world: ServerWorld): Promise<void> {
  const ledger = await ledgerOf(world);
  assert.equal(ledger.openHolds, 0);
  assert.deepEqual(await checkBooks(world.dataSource.manager), []);
  const orders = await world.dataSource.query<{ id: number; accountId: number; dueMinor: number }[]>(
    `SELECT id, account_id AS "accountId",
            CASE status WHEN 'fulfilled' THEN hold_amount_minor ELSE 0 END AS "dueMinor" FROM orders`,
  );
  const taken = Map.groupBy(ledger.intents, ({ orderId }) => Number(orderId));
  for (const { id, dueMinor } of orders) {
    const amounts = (taken.get(id) ?? []).map((hold) => hold.capturedMinor - hold.refundedMinor);
    assert.deepEqual(
      amounts.filter((amount) => amount !== 0),
      dueMinor === 0 ? [] : [dueMinor],
    );
  }
  const [account] = orders;
  if (!account) return;
  const credit = await creditBalanceMinor(world.dataSource.manager, account.accountId, 'eur');
  assert.equal(credit, ledger.capturedMinor - ledger.refundedMinor);
}
