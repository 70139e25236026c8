import { findStorage } from '#libs/fleet';
import { HostsService } from '#libs/placement';
import type { WorldAddress } from '#libs/saga/harness';
import { attachToServerWorld, createServerWorld, type ServerWorld } from './server-world.ts';

const STORAGE = 'network-storage';

/** A world with a second host that shows the disk pool of the first, has the same images, and gets no servers yet. */
export async function createSharingWorld(): Promise<WorldAddress> {
  const address = await createServerWorld();
  const world = await attachToServerWorld(address);
  const { dataSource, fleet } = world;
  const hosts = new HostsService(dataSource);
  const [first] = await hosts.all();
  if (!first) throw new Error('the world has no host');
  const images = fleet.volumes(first.name);
  fleet.change(first.name, { diskStorage: STORAGE });
  const { hostUuid } = fleet.addHost('kvm-2', { diskStorage: STORAGE });
  for (const image of images) fleet.putVolume('kvm-2', image);
  const { uri, name } = fleet.hostRef('kvm-2', 0);
  const { id: _id, usedVcpus: _v, usedMemoryMib: _m, usedDiskGib: _d, ...known } = first;
  const second = await hosts.save(dataSource.manager, { ...known, hostUuid, uri, name });
  await dataSource.query(
    'INSERT INTO host_images (host_id, image_id) SELECT $2, image_id FROM host_images WHERE host_id = $1',
    [first.id, second.id],
  );
  for (const host of [first, second]) await findStorage(dataSource, world.deps.hypervisor, host);
  await placeOn(world, first.name);
  await world.close();
  return address;
}

/** Servers are placed on this host alone until it is called again. */
export async function placeOn({ dataSource }: ServerWorld, name: string): Promise<void> {
  await dataSource.query(`UPDATE hosts SET state = CASE name WHEN $1 THEN 'active' ELSE 'draining' END`, [
    name,
  ]);
}
