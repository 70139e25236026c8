import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorldAddress } from '#libs/saga/harness';
import { runToEnd } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import { volumesOfServer } from '#libs/volumes';
import { describeSaga } from '../../test/support/describe-saga.ts';
import {
  assertKept,
  assertSound,
  attachToServerWorld,
  createSharingWorld,
  createVolumeWorld,
  destroyServerWorld,
  finish,
  order,
  placeOn,
  removeVolumes,
  type ServerWorld,
  standingServer,
  standingVolume,
  volumeOf,
  writtenVolume,
} from './harness/index.ts';
import { scenarios } from './moving-volumes.scenario.ts';

const module = new URL('./moving-volumes.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

let address: WorldAddress;
let world: ServerWorld;
const inWorld = (create: () => Promise<WorldAddress>) => {
  beforeAll(async () => {
    address = await create();
    world = await attachToServerWorld(address);
  });
  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });
};
const refused = async (ids: readonly number[]) => {
  const error = await order(world, undefined, ids).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  // The operator is told of an order that found no room.
  await world.dataSource.query('UPDATE findings SET resolved_at = now() WHERE resolved_at IS NULL');
  await assertSound(world);
  return error;
};

describe('an order of a server with volumes', () => {
  inWorld(createVolumeWorld);

  it('is refused where their data lies on different hosts, and says which lie together', async () => {
    const [one, other, third] = [
      await writtenVolume(world, 'kvm-1'),
      await writtenVolume(world, 'kvm-2'),
      await writtenVolume(world, 'kvm-1'),
    ];
    expect(await refused([one.id, other.id, third.id])).toMatchObject({
      code: 'volumes_apart',
      details: { together: [[one.id, third.id], [other.id]] },
    });
    await removeVolumes(world);
  });

  it('is refused where the host that has their data cannot take it', async () => {
    const far = await writtenVolume(world, 'kvm-2');
    expect(await refused([far.id])).toMatchObject({
      code: 'resource_unavailable',
      details: { filters: { inLocation: 2, inReach: 1, withImage: 0 } },
    });
    await removeVolumes(world);
  });

  it('is refused where a server has one already, or was just ordered with it', async () => {
    const volume = await standingVolume(world, await standingServer(world, 'running'));
    expect(await refused([volume.id])).toMatchObject({ code: 'volume_already_attached' });
    const free = await standingVolume(world);
    const { action, server } = await order(world, undefined, [free.id]);
    await expect(order(world, undefined, [free.id])).rejects.toMatchObject({
      code: 'volume_already_attached',
    });
    await finish(world, action);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await removeVolumes(world);
  });

  it('is taken back whole by its deletion while it is being made', async () => {
    const volume = await writtenVolume(world, 'kvm-1');
    const { action, server } = await order(world, undefined, [volume.id]);
    const deleting = await world.commands.delete(server.projectId, server.id);
    await runToEnd(world, 'provision-server', Number(action.sagaId), []);
    await finish(world, deleting);
    expect(await volumeOf(world, volume.id)).toMatchObject({ serverId: null, deletedAt: null });
    await assertKept(world, volume);
    await assertSound(world);
    await removeVolumes(world);
  });

  it('takes room for what is brought to its host, and waits where that has gone', async () => {
    const empty = await standingVolume(world);
    const { action, server } = await order(world, undefined, [empty.id]);
    const reserved = async (id: number) => {
      const [row] = await world.dataSource.query<{ gib: number }[]>(
        'SELECT disk_gib AS gib FROM reservations WHERE server_id = $1',
        [id],
      );
      return row?.gib;
    };
    expect(await reserved(server.id)).toBe(server.diskGib + empty.sizeGib);
    await finish(world, action);
    expect([await reserved(server.id), await reserved(empty.id)]).toEqual([server.diskGib, empty.sizeGib]);
    await assertSound(world);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await removeVolumes(world);
  });
});

describe('an order of a server with a volume that several hosts reach', () => {
  inWorld(createSharingWorld);

  it('goes to any of them, and the volume stays where it lies', async () => {
    const volume = await writtenVolume(world, 'kvm-1');
    await placeOn(world, 'kvm-2');
    const { action, server } = await order(world, undefined, [volume.id]);
    await finish(world, action);
    const { hostId } = await world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
    const [had] = await volumesOfServer(world.dataSource.manager, server.id);
    expect(had).toMatchObject({ id: volume.id, hostId, copyId: null });
    expect(hostId).not.toBe(volume.hostId);
    await assertKept(world, volume);
    await assertSound(world);
  });
});
