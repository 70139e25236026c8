import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { type DomainSpec, type HostRef, OUR_DEVICES } from '#libs/hypervisor';
import { LibvirtHypervisor } from '#libs/hypervisor/libvirt';
import { newId, newUuid, sleep } from '#libs/kernel';
import { type Host, HostsService, placementEntities, reserve, toHostRef } from '#libs/placement';
import { type Lab, startLab } from '../../test/lab/index.ts';
import { buildTinyGuest } from '../../test/lab/tiny-guest.ts';
import { testDatabase } from '../../test/support/test-database.ts';
import { addHost, findStorage } from './index.ts';

const BOOT_SECONDS = 400;
const IMAGE = newId();
const HERE = newId();
const WRITTEN = 'before the clone';
/** Past the caches of the guest, whether what was written is in the corner of its disk where it keeps that. */
const READ_DISK = `echo 3 > /proc/sys/vm/drop_caches
  corner=$(grep -o 'seek=[0-9]*' /usr/sbin/keep-state | cut -d= -f2)
  dd if=/dev/vda bs=512 skip=$corner count=512 2>/dev/null | grep -c '${WRITTEN}'`;
const SIZE = { vcpus: 1, memoryMib: 192, diskGib: 1 };
const [DISK, NEXT, CLONE] = ['original.qcow2', 'original-next.qcow2', 'clone.qcow2'] as const;

const database = testDatabase({ entities: placementEntities });
let folder: string;
let lab: Lab;
let hypervisor: LibvirtHypervisor;
let [kvm1, kvm2]: Host[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-shared-'));
  lab = await startLab({ folder: join(folder, 'lab'), hosts: 2 });
  hypervisor = new LibvirtHypervisor({ installationId: newUuid() });
  const { dataSource } = database;
  await dataSource.query(`INSERT INTO locations VALUES ($1, 'lab', 'lab', 'lab', 'DE', 'lab')`, [HERE]);
  await dataSource.query(
    `INSERT INTO images (id, name, type, volume_name, sha256, file_size_bytes, virtual_size_bytes, appliance, package_count)
     VALUES ($1, 'tiny', 'app', 'tiny', repeat('a', 64), 1, 1, '{}', 1)`,
    [IMAGE],
  );
  const tiny = { volumeName: 'tiny', ...(await buildTinyGuest('.servery-test/tiny')) };
  const { pools, network, hosts } = lab.description;
  const common = {
    imagePool: pools.images,
    diskPool: pools.shared,
    bridge: network.bridge,
    locationId: HERE,
  };
  for (const { name, uri } of hosts) {
    const host = await addHost(dataSource, hypervisor, { name, uri, ...common });
    await hypervisor.importImage(toHostRef(host), tiny);
    await dataSource.query('INSERT INTO host_images (host_id, image_id) VALUES ($1, $2)', [host.id, IMAGE]);
  }
  [kvm1, kvm2] = await new HostsService(dataSource).all();
});

afterAll(async () => {
  hypervisor?.[Symbol.dispose]();
  await lab?.stop({ purge: true });
  await rm(folder, { recursive: true, force: true });
});

it('is found out, also anew, and leaves nothing but its mark', async () => {
  const hosts = new HostsService(database.dataSource);
  for (const host of await hosts.all()) await findStorage(database.dataSource, hypervisor, host);
  const [one, other] = await hosts.all();
  if (!one || !other) throw new Error('the lab has two hosts');
  expect(one.storageId).toBe(other.storageId);
  expect((await hosts.peers()).get(one.id)).toEqual([other.name]);
  const { marks } = await hypervisor.inspectStorage(toHostRef(other));
  expect(marks).toEqual([`storage-1-${one.storageId}`]);
  expect(await hypervisor.listVolumes(toHostRef(other), 'disks')).toEqual([]);
});

it('lets a clone run on another host than its original, with all that was written, and keeps its base', async () => {
  if (!kvm1 || !kvm2) throw new Error('the lab has two hosts');
  const [one, other] = [toHostRef(kvm1), toHostRef(kvm2)];
  const original = domain(DISK);
  await hypervisor.createOverlay(one, { volumeName: DISK, base: { image: 'tiny' }, sizeGib: 1 });
  await start(one, original);
  await run(one, original, `echo '${WRITTEN}' > /root/written && /usr/sbin/keep-state`);
  await hypervisor.freezeDisk(one, original.uuid, { frozenVolume: DISK, nextVolume: NEXT });
  await hypervisor.defineDomain(one, { ...original, diskVolume: NEXT });

  await database.dataSource.query(`UPDATE hosts SET state = 'draining' WHERE id = $1`, [kvm1.id]);
  const wanted = { ...SIZE, serverId: newId(), locationId: HERE, imageId: IMAGE, besideHostId: kvm1.id };
  const placing = runInTransaction(database.dataSource, (manager) => reserve(manager, wanted));
  expect(await placing).toBe(kvm2.id);

  const clone = domain(CLONE);
  await hypervisor.createOverlay(other, { volumeName: CLONE, base: { frozen: DISK }, sizeGib: 1 });
  await start(other, clone);
  expect(await run(other, clone, 'cat /root/written')).toBe(`${WRITTEN}\n`);
  expect(await hypervisor.domainState(one, original.uuid)).toBe('running');

  while ((await hypervisor.mergeLayers(one, original.uuid)).state !== 'merged') await sleep(250);
  for (const host of [one, other]) {
    await expect(hypervisor.deleteVolume(host, DISK)).rejects.toMatchObject({ code: 'volume_in_use' });
  }
  expect(await run(other, clone, READ_DISK)).toBe('1\n');

  while ((await hypervisor.mergeLayers(other, clone.uuid)).state !== 'merged') await sleep(250);
  await hypervisor.deleteVolume(one, DISK);
  expect(await run(other, clone, READ_DISK)).toBe('1\n');
  const left = (await hypervisor.listVolumes(other, 'disks')).map(({ name }) => name);
  expect(left.sort()).toEqual([CLONE, NEXT].sort());
});

function domain(diskVolume: string): DomainSpec {
  const uuid = newUuid();
  const { firstGuest } = lab.description.network;
  const [vcpus, memoryMib] = [SIZE.vcpus, SIZE.memoryMib];
  const mac = `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`;
  return {
    ...{ uuid, name: `t-${uuid.slice(0, 8)}`, serverId: newId(), vcpus, memoryMib },
    ...{ diskVolume, mac, ipv4: firstGuest },
    ...OUR_DEVICES,
  };
}

async function start(host: HostRef, spec: DomainSpec): Promise<void> {
  await hypervisor.defineDomain(host, spec);
  await hypervisor.startDomain(host, spec.uuid);
  const deadline = Date.now() + BOOT_SECONDS * 1000;
  while (!(await hypervisor.agentPing(host, spec.uuid))) {
    if (Date.now() > deadline) throw new Error(`${spec.name} does not answer`);
    await sleep(250);
  }
}

/** What a line of shell prints in a guest. */
async function run(host: HostRef, { uuid }: DomainSpec, line: string): Promise<string> {
  const options = { timeoutSeconds: 300 };
  return (await hypervisor.agentExec(host, uuid, ['/bin/sh', '-c', line], options)).stdout;
}
