import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ServerType } from '#libs/catalog';
import { exportVolumeNames } from '#libs/exports';
import { OUR_DEVICES } from '#libs/hypervisor';
import { newId } from '#libs/kernel';
import { installationId } from '#libs/placement';
import { diskVolumeName, powerOffServerRequest, SnapshotsService, seedVolumeName } from '#libs/servers';
import { assertSound, finish } from '#libs/workflows/harness';
import {
  DISKS,
  disks,
  HOST,
  openFindings,
  plantVolume,
  reconciler,
  reconcilesAnewEachTime,
  reload,
  server,
  world,
} from './reconciler.fixture.ts';

reconcilesAnewEachTime();

const domains = () => world.fleet.domains(HOST).map(({ uuid, state }) => ({ uuid, state }));

/** A domain as somebody's own tools, or another Servery, would leave it on the host. */
async function plantDomain(owner: 'nobody' | 'another' | 'ours'): Promise<string> {
  const uuid = randomUUID();
  const ours = await installationId(world.dataSource);
  const mark = { serverId: newId(), installationId: owner === 'ours' ? ours : randomUUID() };
  world.fleet.putDomain(HOST, {
    uuid,
    name: `vm-${uuid.slice(0, 8)}`,
    vcpus: 1,
    memoryMib: 512,
    diskVolume: 'their.qcow2',
    mac: '52:54:00:00:00:99',
    ipv4: '10.99.0.200',
    ...OUR_DEVICES,
    owner: owner === 'nobody' ? null : mark,
    state: 'running',
    startedAtMs: 0,
    heldVolumes: [],
    volumes: [],
    network: 'open',
  });
  return uuid;
}

/** Puts back a domain and disk that were the server's, as a step that was lost would have left them. */
async function deleteAllButOnHost(): Promise<{ uuid: string; disk: string }> {
  const [domain] = world.fleet.domains(HOST);
  const disk = world.fleet.volume(HOST, DISKS, diskVolumeName(server));
  if (!domain || !disk) throw new Error('the standing server has a domain and a disk');
  await finish(world, await world.commands.delete(server.projectId, server.id));
  world.fleet.putDomain(HOST, domain);
  world.fleet.putVolume(HOST, disk);
  return { uuid: domain.uuid, disk: disk.name };
}

describe('a fleet that is as the database says', () => {
  it('gives no finding of a server that has become larger, nor changes it', async () => {
    const type = await world.dataSource.getRepository(ServerType).findOneByOrFail({ name: 's2' });
    const change = { type, upgradesDisk: true, restarts: true };
    await finish(world, await world.types.change(server.projectId, server.id, change));
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    expect(await reload()).toMatchObject({ observed: 'running', diskGib: 20 });
    await assertSound(world);
  });

  it('gives no finding and is not changed, however often it is looked at', async () => {
    for (let round = 0; round < 2; round += 1) {
      await reconciler.run();
      expect(await openFindings()).toEqual([]);
      await assertSound(world);
    }
  });
});

describe('a domain that no server owns', () => {
  it("is reported and never touched when it is nobody's or another installation's", async () => {
    const foreign = [await plantDomain('nobody'), await plantDomain('another')].sort();
    const before = domains();
    await reconciler.run();
    const found = await openFindings();
    expect(found.map(({ kind, subject }) => ({ kind, subject }))).toEqual(
      foreign.map((subject) => ({ kind: 'foreign_domain', subject })),
    );
    expect(domains()).toEqual(before);
  });

  it('is reported and kept when it has our mark and a UUID that the database does not know', async () => {
    const uuid = await plantDomain('ours');
    await reconciler.run();
    expect(await openFindings()).toMatchObject([
      { kind: 'orphan_domain', subject: uuid, details: { removed: false } },
    ]);
    expect(domains().map((domain) => domain.uuid)).toContain(uuid);
  });

  it('is removed with its disk when its UUID is that of a deleted server, and both are told once', async () => {
    const { uuid, disk } = await deleteAllButOnHost();
    await reconciler.run();
    expect(await openFindings()).toMatchObject([
      { kind: 'orphan_domain', subject: uuid, details: { serverId: server.id, removed: true } },
      { kind: 'orphan_volume', subject: disk, details: { removed: true } },
    ]);
    expect([domains(), disks()]).toEqual([[], []]);
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });
});

describe('the seed of a first boot that is over', () => {
  const seed = () => seedVolumeName(server);
  const plantSeed = () => {
    const [domain] = world.fleet.domains(HOST);
    if (!domain) throw new Error('the standing server has a domain');
    plantVolume(seed());
    world.fleet.putDomain(HOST, { ...domain, seedVolume: seed() });
  };

  it('is taken from the server and erased, of which the operator is told once', async () => {
    plantSeed();
    await reconciler.run();
    expect(disks()).toEqual([diskVolumeName(server)]);
    expect(await openFindings()).toMatchObject([
      { kind: 'orphan_volume', subject: seed(), details: { removed: true } },
    ]);
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });

  it('is asked for once where the guest does not let go of it', async () => {
    plantSeed();
    world.fleet.change(HOST, { guestFault: 'seed_held' });
    await reconciler.run();
    expect(world.fleet.volume(HOST, DISKS, seed())?.seed).toEqual({});
    expect(await openFindings()).toEqual([]);
    world.fleet.failNext(HOST, 'detachSeed', { when: 'before', with: 'host_misconfigured' });
    await reconciler.run();
    expect(disks()).toEqual([diskVolumeName(server), seed()].sort());
  });
});

describe('a disk that no server owns', () => {
  it('is reported and kept when we did not make it', async () => {
    const names = ['servery-1-1.qcow2', 'their.qcow2'];
    for (const name of names) plantVolume(name);
    await reconciler.run();
    expect(await openFindings()).toMatchObject(
      names.map((subject) => ({ kind: 'orphan_volume', subject, details: { removed: false } })),
    );
    expect(disks()).toEqual([...names, diskVolumeName(server)].sort());
  });

  it('is removed when it is the one that a rebuild left', async () => {
    await world.dataSource.query('UPDATE servers SET generation = 2 WHERE id = $1', [server.id]);
    plantVolume(diskVolumeName({ id: server.id, generation: 2 }));
    plantVolume(diskVolumeName({ id: server.id, generation: 3 }));
    await reconciler.run();
    // The first is plugged into the domain, and so stays.
    expect(disks()).toEqual([1, 2].map((generation) => diskVolumeName({ id: server.id, generation })));
  });

  it("is not one that another host's server has on storage that both share", async () => {
    const [other] = await world.dataSource.query<[{ id: number }]>(
      `INSERT INTO hosts (id, name, uri, host_uuid, location_id, domain_type, domain_type_reason, state,
         image_pool, disk_pool, bridge, vcpus, memory_mib, disk_gib)
       SELECT 7, 'kvm-2', 'simulated:kvm-2', gen_random_uuid(), location_id, domain_type, domain_type_reason, state,
         image_pool, disk_pool, bridge, vcpus, memory_mib, disk_gib FROM hosts RETURNING id`,
    );
    world.fleet.addHost('kvm-2');
    const disk = world.fleet.volume(HOST, DISKS, diskVolumeName(server));
    if (!disk || !other) throw new Error('there is a disk');
    world.fleet.putVolume('kvm-2', disk);
    await reconciler.run();
    expect(world.fleet.volumes('kvm-2')).toEqual([disk]);
    expect(await openFindings()).toEqual([]);
  });
});

it('reports an address and a reservation that no server owns, and leaves them to the operator', async () => {
  await world.dataSource.query(
    `UPDATE addresses SET server_id = 4711 WHERE ip = (SELECT max(ip) FROM addresses WHERE server_id IS NULL)`,
  );
  await world.dataSource.query(
    'INSERT INTO reservations (server_id, host_id, vcpus, memory_mib, disk_gib) SELECT 4712, id, 1, 1, 1 FROM hosts',
  );
  const orphans = [
    { kind: 'orphan_address', subject: '10.99.0.29', details: { serverId: 4711 } },
    { kind: 'orphan_reservation', subject: '4712', details: {} },
  ];
  await reconciler.run();
  expect(await openFindings()).toMatchObject(orphans);
  await reconciler.run();
  expect(await openFindings()).toMatchObject(orphans);
  await world.dataSource.query('UPDATE addresses SET server_id = NULL WHERE server_id = 4711');
  await world.dataSource.query('DELETE FROM reservations WHERE server_id = 4712');
  await reconciler.run();
  expect(await openFindings()).toEqual([]);
});

describe('a server', () => {
  const change = (state: 'crashed' | 'running') => {
    const [domain] = world.fleet.domains(HOST);
    if (domain) world.fleet.putDomain(HOST, { ...domain, state });
  };

  it('is shown as off when its domain died, and as running when it is back', async () => {
    change('crashed');
    await reconciler.run();
    expect(await reload()).toMatchObject({ observed: 'off', desired: 'running' });
    change('running');
    await reconciler.run();
    expect(await reload()).toMatchObject({ observed: 'running', desired: 'running' });
    expect(await openFindings()).toEqual([]);
  });

  it('is shown as off when its domain is gone, which the operator is told until it is back', async () => {
    const [domain] = world.fleet.domains(HOST);
    if (!domain) throw new Error('the standing server has a domain');
    world.fleet.removeDomain(HOST, domain.uuid);
    await reconciler.run();
    expect(await reload()).toMatchObject({ observed: 'off' });
    expect(await openFindings()).toMatchObject([{ kind: 'domain_missing', subject: server.domainUuid }]);
    world.fleet.putDomain(HOST, domain);
    await reconciler.run();
    expect(await reload()).toMatchObject({ observed: 'running' });
    expect(await openFindings()).toEqual([]);
  });

  it('is left alone while a workflow has it', async () => {
    await world.store.start(
      world.dataSource.manager,
      powerOffServerRequest,
      { serverId: server.id },
      { subject: { type: 'server', id: server.id } },
    );
    await world.dataSource.query('UPDATE servers SET host_id = NULL WHERE id = $1', [server.id]);
    change('crashed');
    plantVolume(diskVolumeName({ id: server.id, generation: 2 }));
    plantVolume(seedVolumeName(server));
    const before = { domains: domains(), disks: disks(), server: await reload() };
    await reconciler.run();
    expect({ domains: domains(), disks: disks(), server: await reload() }).toEqual(before);
    expect(await openFindings()).toEqual([]);
  });
});

describe('a host that does not answer', () => {
  const stateOfHost = async () =>
    (await world.dataSource.query<[{ state: string }]>('SELECT state FROM hosts'))[0].state;

  it('says nothing of its servers, and nothing that was found on it before is taken for gone', async () => {
    const uuid = await plantDomain('nobody');
    await reconciler.run();
    const before = await reload();
    world.fleet.change(HOST, { unreachable: true });
    await reconciler.run();
    expect(await openFindings()).toMatchObject([
      { kind: 'foreign_domain', subject: uuid },
      { kind: 'host_unreachable', subject: HOST },
    ]);
    expect(await stateOfHost()).toBe('unreachable');
    expect(await reload()).toEqual(before);
    world.fleet.change(HOST, { unreachable: false });
    await reconciler.run();
    expect(await openFindings()).toMatchObject([{ kind: 'foreign_domain', subject: uuid }]);
    expect(await stateOfHost()).toBe('active');
  });

  it('takes no servers either while it refuses us or lacks a pool, and the operator is told why', async () => {
    world.fleet.failNext(HOST, 'listVolumes', { when: 'before', with: 'host_misconfigured' });
    await reconciler.run();
    expect(await openFindings()).toMatchObject([
      { kind: 'host_unreachable', subject: HOST, details: { message: expect.stringContaining(HOST) } },
    ]);
    expect(await stateOfHost()).toBe('unreachable');
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    expect(await stateOfHost()).toBe('active');
  });

  it('takes servers again when it is back, though something of it cannot be mended', async () => {
    world.fleet.change(HOST, { unreachable: true });
    await reconciler.run();
    world.fleet.change(HOST, { unreachable: false });
    await deleteAllButOnHost();
    world.fleet.failNext(HOST, 'deleteVolume', { when: 'before', with: 'host_refused' });
    await reconciler.run();
    expect(await stateOfHost()).toBe('active');
    expect(await openFindings()).toMatchObject([{ kind: 'orphan_domain' }]);
  });

  it('does not keep the operator from hearing what was removed before it fell silent', async () => {
    const { uuid } = await deleteAllButOnHost();
    world.fleet.failNext(HOST, 'listVolumes', { when: 'before', with: 'host_unreachable' });
    await reconciler.run();
    expect(await openFindings()).toMatchObject([
      { kind: 'host_unreachable' },
      { kind: 'orphan_domain', subject: uuid, details: { removed: true } },
    ]);
    await reconciler.run();
    expect(await openFindings()).toMatchObject([{ kind: 'orphan_volume', details: { removed: true } }]);
  });
});

it('gives the same findings a second time, with the moment when each was first seen', async () => {
  await plantDomain('nobody');
  plantVolume('their.qcow2');
  const whole = () =>
    world.dataSource.query<unknown[]>(
      'SELECT id, kind, subject, details, first_seen_at, resolved_at FROM findings ORDER BY id',
    );
  await reconciler.run();
  const first = { findings: await whole(), domains: domains(), disks: disks(), server: await reload() };
  expect(first.findings.length).toBe(2);
  await reconciler.run();
  expect({ findings: await whole(), domains: domains(), disks: disks(), server: await reload() }).toEqual(
    first,
  );
});

it('leaves what an export reads and makes on the host, and removes it when the export has ended', async () => {
  const exportId = newId();
  const { flat, layer } = exportVolumeNames(exportId);
  const made = await world.commands.createImage(server.projectId, server.id, {
    description: null,
    labels: {},
  });
  await finish(world, made.action);
  await world.dataSource.query(
    `INSERT INTO exports (id, account_id, project_id, image_id, source_name, format, host_id, frozen_disk_id)
     SELECT $1, $2, project_id, id, 'x', 'qcow2', $3, frozen_disk_id FROM images WHERE id = $4`,
    [exportId, server.accountId, server.hostId, made.imageId],
  );
  await new SnapshotsService(world.dataSource).delete(server.projectId, made.imageId);
  const nobodys = exportVolumeNames(1).flat;
  for (const name of [flat, layer, nobodys]) plantVolume(name);
  const current = diskVolumeName(await reload());
  await reconciler.run();
  await reconciler.run();
  expect(disks()).toEqual([diskVolumeName(server), current, flat, layer, nobodys].sort());
  await world.dataSource.query(`UPDATE exports SET state = 'failed'`);
  await reconciler.run();
  expect(disks()).toEqual([current, nobodys].sort());
  const found = (await openFindings()).map(({ subject, details }) => [subject, details.removed]);
  expect(new Map(found as [string, boolean][])).toEqual(
    new Map([nobodys, flat, layer].map((name) => [name, name !== nobodys])),
  );
});
