import { describe, expect, it } from 'vitest';
import { ImagesService } from '#libs/images';
import { HostsService } from '#libs/placement';
import { diskVolumeName, retireDisk, Server, SnapshotsService, unneededDisks } from '#libs/servers';
import { assertSound, createSharingWorld, finish, order, orderClone, placeOn } from '#libs/workflows/harness';
import {
  DISKS,
  disks,
  HOST,
  openFindings,
  reconciler,
  reconcilesAnewEachTime,
  server,
  world,
} from './reconciler.fixture.ts';

reconcilesAnewEachTime(createSharingWorld);

describe('on storage that two hosts show', () => {
  const clone = async () => {
    await placeOn(world, 'kvm-2');
    const { server: made, action } = await orderClone(world, server, 'safe');
    await finish(world, action);
    return world.dataSource.getRepository(Server).findOneByOrFail({ id: made.id });
  };
  const host = async (name: string) => new HostsService(world.dataSource).getByName(name);
  const backing = (volume: string) => world.fleet.volume('kvm-2', DISKS, volume)?.backing?.name;

  it('a frozen disk stays while a server of the other host stands on it, also where its keeper cannot see that', async () => {
    const frozen = diskVolumeName(server);
    const made = await clone();
    expect(made.hostId).toBe((await host('kvm-2')).id);
    await reconciler.run();
    await reconciler.run();
    expect(disks()).toContain(frozen);
    expect(backing(diskVolumeName(made))).toBe(frozen);
    const disk = world.fleet.volume('kvm-2', DISKS, diskVolumeName(made));
    if (!disk) throw new Error('the clone has a disk');
    // As a host that shows a folder as it was a moment ago.
    world.fleet.removeVolume('kvm-2', DISKS, disk.name);
    await reconciler.run();
    expect(disks()).toContain(frozen);
    world.fleet.putVolume('kvm-2', disk);
    await assertSound(world);
    await finish(world, await world.commands.delete(server.projectId, made.id));
    await reconciler.run();
    expect(disks()).not.toContain(frozen);
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });

  it('is one that somebody came to stand on since it was looked at, and so is not removed', async () => {
    const made = await clone();
    await finish(world, await world.commands.delete(server.projectId, made.id));
    const { id } = await host(HOST);
    await reconciler.run();
    const taken = { description: null, labels: {} };
    const { action, imageId } = await world.commands.createImage(server.projectId, server.id, taken);
    await finish(world, action);
    const { frozenDiskId } = await new ImagesService(world.dataSource).resolve(imageId, server.projectId);
    expect(await unneededDisks(world.dataSource.manager, id)).toEqual([]);
    expect(await retireDisk(world.dataSource, Number(frozenDiskId))).toBe(false);
    await new SnapshotsService(world.dataSource).delete(server.projectId, imageId);
    await reconciler.run();
    expect(await retireDisk(world.dataSource, Number(frozenDiskId))).toBe(false);
  });

  it('goes to no other host that lacks the image beneath it when its own is forgotten', async () => {
    const taken = { description: null, labels: {} };
    const { action, imageId } = await world.commands.createImage(server.projectId, server.id, taken);
    await finish(world, action);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    const [one, other] = [await host(HOST), await host('kvm-2')];
    await world.dataSource.query('DELETE FROM host_images WHERE host_id = $1', [other.id]);
    const hosts = new HostsService(world.dataSource);
    await expect(hosts.remove(one.id)).rejects.toMatchObject({ code: 'host_in_use' });
    await world.dataSource.query(
      `INSERT INTO host_images (host_id, image_id)
       SELECT $1, golden_image_id FROM images i JOIN frozen_disks f ON f.id = i.frozen_disk_id WHERE i.id = $2`,
      [other.id, imageId],
    );
    await hosts.remove(one.id);
    const [{ keeper }] = await world.dataSource.query<[{ keeper: number }]>(
      'SELECT f.host_id AS keeper FROM images i JOIN frozen_disks f ON f.id = i.frozen_disk_id WHERE i.id = $1',
      [imageId],
    );
    expect(keeper).toBe(other.id);
  });

  it('is kept by the other host when its own is forgotten, and lets orders be served there', async () => {
    const taken = { description: null, labels: {} };
    const { action, imageId } = await world.commands.createImage(server.projectId, server.id, taken);
    await finish(world, action);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    const [one, other] = [await host(HOST), await host('kvm-2')];
    await new HostsService(world.dataSource).remove(one.id);
    await placeOn(world, 'kvm-2');
    const image = await new ImagesService(world.dataSource).resolve(imageId, server.projectId);
    const { server: heir, action: ordered } = await order(world, image);
    await finish(world, ordered);
    const made = await world.dataSource.getRepository(Server).findOneByOrFail({ id: heir.id });
    expect([made.hostId, backing(diskVolumeName(made))]).toEqual([other.id, image.volumeName]);
    await expect(new HostsService(world.dataSource).remove(other.id)).rejects.toMatchObject({
      code: 'host_in_use',
    });
  });

  it('is a base for the new system of a server of the other host, unless the image beneath it is not there', async () => {
    const made = await clone();
    const taken = { description: null, labels: {} };
    const { action, imageId } = await world.commands.createImage(server.projectId, server.id, taken);
    await finish(world, action);
    const image = await new ImagesService(world.dataSource).resolve(imageId, server.projectId);
    const rebuild = () => world.commands.rebuild(server.projectId, made.id, image, 'reveal');
    await world.dataSource.query('DELETE FROM host_images WHERE host_id = $1', [made.hostId]);
    await expect(rebuild()).rejects.toMatchObject({ code: 'image_out_of_reach' });
    await world.dataSource.query(
      'INSERT INTO host_images (host_id, image_id) SELECT $1, golden_image_id FROM frozen_disks WHERE id = $2',
      [made.hostId, image.frozenDiskId],
    );
    await finish(world, await world.commands.openNetwork(server.projectId, made.id));
    await finish(world, (await rebuild()).action);
    await assertSound(world);
    expect(backing(diskVolumeName({ id: made.id, generation: 2 }))).toBe(image.volumeName);
  });
});
