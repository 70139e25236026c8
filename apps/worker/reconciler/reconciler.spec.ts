import { randomUUID } from 'node:crypto';
import { PinoLogger } from 'nestjs-pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerType } from '#libs/catalog';
import { exportVolumeNames } from '#libs/exports';
import { OUR_DEVICES } from '#libs/hypervisor';
import { Image, ImagesService } from '#libs/images';
import { newId } from '#libs/kernel';
import { HostsService, installationId } from '#libs/placement';
import { type Action, diskVolumeName, powerOffServerRequest, Server, SnapshotsService } from '#libs/servers';
import { volumeFileName } from '#libs/volumes';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  importUpload,
  order,
  type ServerWorld,
  standingServer,
  standingVolume,
} from '#libs/workflows/harness';
import { ImageSpreading } from '../image-spreading.ts';
import { Reconciler } from './reconciler.ts';

const HOST = 'kvm-1';
const DISKS = 'servery-disks';

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
let server: Server;
let reconciler: Reconciler;

beforeEach(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  server = await standingServer(world, 'running');
  const { dataSource, hypervisor, access, findings } = world.deps;
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  reconciler = new Reconciler(dataSource, hypervisor, access, new HostsService(dataSource), findings, log);
});

afterEach(async () => {
  await world.close();
  await destroyServerWorld(address);
});

interface FindingRow {
  readonly kind: string;
  readonly subject: string;
  readonly details: Record<string, unknown>;
}

function openFindings(): Promise<FindingRow[]> {
  return world.dataSource.query(
    'SELECT kind, subject, details FROM findings WHERE resolved_at IS NULL ORDER BY kind, subject',
  );
}

function reload(): Promise<Server> {
  return world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
}

const domains = () => world.fleet.domains(HOST).map(({ uuid, state }) => ({ uuid, state }));
const disks = () =>
  world.fleet
    .volumes(HOST)
    .filter(({ pool }) => pool === DISKS)
    .map(({ name }) => name)
    .sort();

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

function plantVolume(name: string): void {
  world.fleet.putVolume(HOST, { name, pool: DISKS, capacityBytes: 4096, allocationBytes: 4096 });
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

describe('snapshots', () => {
  const keep = async () => {
    const { projectId, id } = server;
    const { action, imageId } = await world.commands.createImage(projectId, id, {
      description: null,
      labels: {},
    });
    await finish(world, action);
    return imageId;
  };
  const backing = (volume: string) => world.fleet.volume(HOST, DISKS, volume)?.backing?.name;
  const snapshots = () => new SnapshotsService(world.dataSource);

  it('stay, the server stands on its golden image alone again, and what nobody needs any more goes', async () => {
    const first = diskVolumeName(server);
    const golden = backing(first);
    const images = [await keep(), await keep()];
    const { generation } = await reload();
    const [second, current] = [generation - 1, generation].map((of) =>
      diskVolumeName({ ...server, generation: of }),
    );
    expect([backing(String(current)), backing(String(second))]).toEqual([second, first]);

    await reconciler.run();
    await assertSound(world);
    expect([backing(String(current)), (await reload()).standsOn]).toEqual([golden, null]);
    expect(disks()).toEqual([first, second, current].sort());

    await snapshots().delete(server.projectId, Number(images[0]));
    await reconciler.run();
    expect(disks()).toEqual([first, second, current].sort());
    await snapshots().delete(server.projectId, Number(images[1]));
    await reconciler.run();
    await reconciler.run();
    expect(disks()).toEqual([current]);
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });

  it('keep a memory for as long as an image has it', async () => {
    const taken = { description: '', labels: {}, withMemory: true };
    const { imageId, action } = await world.commands.createImage(server.projectId, server.id, taken);
    await finish(world, action);
    const memory = diskVolumeName(server).replace('.qcow2', '.memory');
    await reconciler.run();
    expect(disks()).toContain(memory);
    await assertSound(world);
    await snapshots().delete(server.projectId, imageId);
    await reconciler.run();
    expect(disks()).not.toContain(memory);
    await assertSound(world);
    expect(await openFindings()).toEqual([]);
  });

  it('outlive their server, which can be ordered anew from one, and rebuilt from it', async () => {
    const imageId = await keep();
    const frozen = diskVolumeName(server);
    const hostname = world.fleet.volume(HOST, DISKS, frozen)?.guest?.hostname;
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await reconciler.run();
    expect(disks()).toEqual([frozen]);

    const image = await new ImagesService(world.dataSource).resolve(imageId, server.projectId);
    const { server: heir, action } = await order(world, image);
    await finish(world, action);
    await assertSound(world);
    expect(backing(diskVolumeName(heir))).toBe(frozen);
    expect(world.fleet.volume(HOST, DISKS, diskVolumeName(heir))?.guest?.hostname).not.toBe(hostname);

    const rebuilt = await world.commands.rebuild(server.projectId, heir.id, image, 'reveal');
    await finish(world, rebuilt.action);
    await assertSound(world);
    await snapshots().delete(server.projectId, imageId);
    await reconciler.run();
    await reconciler.run();
    await assertSound(world);
    expect(disks()).toEqual([frozen, diskVolumeName({ id: heir.id, generation: 2 })].sort());
    await finish(world, await world.commands.delete(server.projectId, heir.id));
    await reconciler.run();
    expect(disks()).toEqual([]);
  });
});

describe('an imported image', () => {
  it('leaves the hosts when it was deleted and no server is of it any more', async () => {
    const { image, action } = await importUpload(world);
    await finish(world, action);
    const made = await world.dataSource.getRepository(Image).findOneByOrFail({ id: image.id });
    const { action: ordered } = await order(world, made);
    await finish(world, ordered);
    const heir = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
    await new SnapshotsService(world.dataSource).delete(server.projectId, image.id);
    const isThere = () => world.fleet.volumes(HOST).some(({ name }) => name === made.volumeName);
    await reconciler.run();
    expect(isThere()).toBe(true);
    await finish(world, await world.commands.delete(server.projectId, heir.id));
    await reconciler.run();
    expect(isThere()).toBe(false);
  });

  it('comes to a host that was added later, unless that refuses it, which the operator is told', async () => {
    const { image, action } = await importUpload(world);
    await finish(world, action);
    const { dataSource, hypervisor, findings, imports } = world.deps;
    const images = dataSource.getRepository(Image);
    await images.update({ id: image.id }, { devices: { ...OUR_DEVICES, firmware: 'uefi' } });
    const hosts = new HostsService(dataSource);
    const [first] = await hosts.all();
    const { hostUuid } = world.fleet.addHost('kvm-2', { firmwares: ['bios'] });
    const ref = world.fleet.hostRef('kvm-2', 0);
    const { id: _, ...like } = { ...first, ...ref, hostUuid } as NonNullable<typeof first>;
    const added = await hosts.save(dataSource.manager, like);
    const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
    const spreading = new ImageSpreading(dataSource, hypervisor, hosts, findings, imports.store, log);
    const isThere = () =>
      world.fleet.volumes('kvm-2').some(({ name }) => name === `import-${image.id}.qcow2`);

    await spreading.run();
    expect(isThere()).toBe(false);
    const refused = {
      kind: 'image_refused',
      subject: String(image.id),
      details: { code: 'firmware_missing' },
    };
    expect(await openFindings()).toMatchObject([refused]);
    const service = new ImagesService(dataSource);
    expect((await service.refusalsOf([image.id])).get(image.id)).toMatchObject([
      { code: 'firmware_missing' },
    ]);

    await images.update({ id: image.id }, { devices: OUR_DEVICES });
    await spreading.run();
    expect(isThere()).toBe(false);
    await dataSource.query("UPDATE image_refusals SET tried_at = now() - interval '1 hour'");
    await spreading.run();
    expect(isThere()).toBe(true);
    expect(await hypervisor.listImages(ref)).toHaveLength(1);
    const rows = await dataSource.query('SELECT FROM host_images WHERE image_id = $1', [image.id]);
    expect(rows).toHaveLength(2);
    expect(await openFindings()).toEqual([]);

    await new SnapshotsService(dataSource).delete(Number(image.projectId), image.id);
    await reconciler.run();
    expect(isThere()).toBe(false);
    await dataSource.query('DELETE FROM hosts WHERE id = $1', [added.id]);
  });
});

describe('a volume', () => {
  const attachments = () => world.fleet.domain(HOST, server.domainUuid)?.volumes ?? [];
  const file = (id: number) => volumeFileName({ id });

  it('is left where it is while all is as the database says', async () => {
    const { id } = await standingVolume(world, server);
    await standingVolume(world);
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    expect(disks()).toContain(file(id));
    await assertSound(world);
  });

  it('is plugged in where it is missing, and out where it does not belong', async () => {
    const [own, free] = [await standingVolume(world, server), await standingVolume(world)];
    const domain = world.fleet.domain(HOST, server.domainUuid);
    if (!domain) throw new Error('the standing server has a domain');
    const strayed = { volumeName: file(free.id), serial: String(free.id), slot: 5 };
    world.fleet.putDomain(HOST, { ...domain, volumes: [strayed] });
    await reconciler.run();
    expect(
      (await openFindings()).map(({ kind, details }) => [kind, details.volumeId, details.mended]),
    ).toEqual(
      [
        ['volume_misplaced', own.id, 'attached'],
        ['volume_misplaced', free.id, 'detached'],
      ].sort((a, b) => file(Number(a[1])).localeCompare(file(Number(b[1])))),
    );
    expect(attachments()).toEqual([{ volumeName: file(own.id), serial: String(own.id), slot: 0 }]);
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });

  it('is removed when it was deleted, reported when nobody knows it, and when it is gone', async () => {
    const [deleted, lost] = [await standingVolume(world), await standingVolume(world, server)];
    const left = world.fleet.volume(HOST, DISKS, file(deleted.id));
    await world.volumes.delete(deleted.projectId, deleted.id);
    const [saga] = await world.store.list({ subject: { type: 'volume', id: deleted.id }, limit: 1 });
    await finish(world, { sagaId: saga?.id } as Action);
    if (left) world.fleet.putVolume(HOST, left);
    const unknown = file(newId());
    plantVolume(unknown);
    world.fleet.removeVolume(HOST, DISKS, file(lost.id));
    await reconciler.run();
    const found = (await openFindings()).map(({ kind, subject, details }) => [
      kind,
      subject,
      details.removed,
    ]);
    expect(found).toContainEqual(['orphan_volume', file(deleted.id), true]);
    expect(found).toContainEqual(['orphan_volume', unknown, false]);
    expect(found).toContainEqual(['volume_missing', file(lost.id), undefined]);
    expect(found).toHaveLength(3);
    expect(disks()).not.toContain(file(deleted.id));
    expect(disks()).toContain(unknown);
  });
});
