import { describe, expect, it } from 'vitest';
import { ImagesService } from '#libs/images';
import { HostsService } from '#libs/placement';
import { runToEnd } from '#libs/saga/harness';
import { diskVolumeName, SnapshotsService } from '#libs/servers';
import { assertSound, finish, order } from '#libs/workflows/harness';
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
  const reconcileRefused = async () => {
    world.fleet.failNext(HOST, 'mergeLayers', { when: 'before', with: 'host_refused' });
    await reconciler.run();
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

  it('are not merged again and again for a server whose machine is gone, which holds no other one up', async () => {
    const { server: other, action } = await order(world);
    await finish(world, action);
    const servers = [server, other].sort((a, b) => a.id - b.id);
    for (const { id, projectId } of servers) {
      const taken = { description: null, labels: {} };
      await finish(world, (await world.commands.createImage(projectId, id, taken)).action);
      await finish(world, await world.commands.powerOff(projectId, id));
    }
    world.fleet.removeDomain(HOST, String(servers[0]?.domainUuid));
    const merges = () => world.store.list({ states: ['running', 'done', 'undone'] });
    for (const _round of [1, 2, 3]) {
      await reconciler.run();
      for (const { name, id } of await world.store.list({ states: ['running'] })) {
        await runToEnd(world, name, id, []);
      }
    }
    const merged = (await merges()).filter(({ name }) => name === 'merge-layers');
    expect(merged.map(({ subject, state }) => [subject?.id, state]).reverse()).toEqual([
      [servers[0]?.id, 'done'],
      [servers[1]?.id, 'done'],
    ]);
  });

  it('that cannot be merged keep no finding open whose cause is gone', async () => {
    await keep();
    plantVolume('their.qcow2');
    await reconcileRefused();
    expect(await openFindings()).toMatchObject([{ kind: 'orphan_volume', subject: 'their.qcow2' }]);
    world.fleet.removeVolume(HOST, DISKS, 'their.qcow2');
    await reconcileRefused();
    expect(await openFindings()).toEqual([]);
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

it('a host is not forgotten while a snapshot lies there alone, and is when that is gone', async () => {
  const taken = { description: null, labels: {} };
  const { action, imageId } = await world.commands.createImage(server.projectId, server.id, taken);
  await finish(world, action);
  await finish(world, await world.commands.delete(server.projectId, server.id));
  const hosts = new HostsService(world.dataSource);
  const { id } = await hosts.getByName(HOST);
  await expect(hosts.remove(id)).rejects.toMatchObject({ code: 'host_in_use' });
  await new SnapshotsService(world.dataSource).delete(server.projectId, imageId);
  await reconciler.run();
  await hosts.remove(id);
  expect(await hosts.all()).toEqual([]);
});
