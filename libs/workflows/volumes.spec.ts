import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { runToEnd } from '#libs/saga/harness';
import type { Action, Server } from '#libs/servers';
import { type Volume, volumeFileName } from '#libs/volumes';
import { describeSaga } from '../../test/support/describe-saga.ts';
import {
  askForVolume,
  assertKept,
  assertSound,
  attachToServerWorld,
  createVolumeWorld,
  destroyServerWorld,
  fallInArrears,
  finish,
  leaveArrears,
  orderClone,
  type ServerWorld,
  standingServer,
  standingVolume,
  volumeOf,
  volumeSuspensionsOf,
  writtenVolume,
} from './harness/index.ts';
import { scenarios } from './volume.scenario.ts';

const module = new URL('./volume.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('a server with a volume', () => {
  let address: Awaited<ReturnType<typeof createVolumeWorld>>;
  let world: ServerWorld;
  let server: Server;
  let volume: Volume;

  beforeAll(async () => {
    address = await createVolumeWorld();
    world = await attachToServerWorld(address);
  });

  beforeEach(async () => {
    server = await standingServer(world, 'running');
    volume = await standingVolume(world, server);
  });

  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });

  const had = () =>
    world.fleet.domain('kvm-1', server.domainUuid)?.volumes.map(({ volumeName }) => volumeName) ?? [];
  const fails = async ({ sagaId }: Action) => {
    const { name } = await world.store.get(Number(sagaId));
    const { state, error } = await runToEnd(world, name, Number(sagaId), []);
    expect(state).toBe('undone');
    return error?.code;
  };
  const snapshot = async (withMemory = false) => {
    const wanted = { description: null, labels: {}, withMemory };
    return world.commands.createImage(server.projectId, server.id, wanted);
  };
  const image = (id: number) => world.dataSource.getRepository(Image).findOneByOrFail({ id });

  it('keeps it over a snapshot, a roll back, a rebuild and a power cycle', async () => {
    const { commands } = world;
    const { projectId, id } = server;
    const { action, imageId } = await snapshot();
    await finish(world, action);
    await finish(world, await commands.rollBack(projectId, id, await image(imageId)));
    await finish(
      world,
      (await commands.rebuild(projectId, id, await image(server.imageId), 'reveal')).action,
    );
    await finish(world, await commands.powerOff(projectId, id));
    await finish(world, await commands.powerOn(projectId, id));
    expect(had()).toContain(volumeFileName(volume));
    await assertSound(world);
  });

  it('does not give it to its clones', async () => {
    const { action, server: clone } = await orderClone(world, server, 'safe');
    await finish(world, action);
    expect(world.fleet.domain('kvm-1', clone.domainUuid)?.volumes).toEqual([]);
    await assertSound(world);
    await finish(world, await world.commands.delete(clone.projectId, clone.id));
  });

  it('cannot be kept with its memory, and gets the volume back after a roll back to memory from before', async () => {
    expect(await fails((await snapshot(true)).action)).toBe('domain_has_other_disks');
    await assertSound(world);
    const { projectId, id } = server;
    for (const one of await world.dataSource.query<{ id: number }[]>(
      'SELECT id FROM volumes WHERE server_id = $1',
      [id],
    )) {
      await finish(world, await world.volumes.detach(projectId, one.id));
    }
    const { action, imageId } = await snapshot(true);
    await finish(world, action);
    await finish(world, await world.volumes.attach(projectId, volume.id, id, true));
    const rolledBack = await world.commands.rollBack(projectId, id, await image(imageId));
    await finish(world, rolledBack);
    expect(had()).toEqual([volumeFileName(volume)]);
    await assertSound(world);
  });

  it('leaves it when it is deleted, also while another is being attached', async () => {
    const other = await standingVolume(world);
    const attaching = await world.volumes.attach(server.projectId, other.id, server.id, false);
    const deleting = await world.commands.delete(server.projectId, server.id);
    expect(await fails(attaching)).toBe('undo_requested');
    await finish(world, deleting);
    for (const { id } of [volume, other]) {
      expect(await volumeOf(world, id)).toMatchObject({ serverId: null, deletedAt: null });
    }
    await assertSound(world);
  });

  it('waits for one that is asked for with it, and is not given one that could not be made', async () => {
    world.fleet.failNext('kvm-1', 'createVolume', { when: 'before', with: 'volume_exists_foreign' });
    const { actions } = await askForVolume(world, server);
    const [making, attaching] = actions as [Action, Action];
    expect(await fails(making)).toBe('volume_exists_foreign');
    expect(await fails(attaching)).toBe('volume_gone');
    await assertSound(world);
  });

  it('has one that is reached from its host stay where it is', async () => {
    const far = await writtenVolume(world, 'kvm-2');
    const [file] = world.fleet.volumes('kvm-2').filter(({ name }) => name === volumeFileName(far));
    if (!file) throw new Error('the volume is not on its host');
    world.fleet.putVolume('kvm-1', file);
    await finish(world, await world.volumes.attach(server.projectId, far.id, server.id, false));
    const { serverId, hostId, copyId } = await volumeOf(world, far.id);
    expect([serverId, hostId, copyId]).toEqual([server.id, server.hostId, null]);
    world.fleet.removeVolume('kvm-2', file.pool, file.name);
    await assertSound(world);
  });

  it('is brought one with data from another host, wherever it goes next', async () => {
    const far = await writtenVolume(world, 'kvm-2');
    const takeAndReturn = async () => {
      await finish(world, await world.volumes.attach(server.projectId, far.id, server.id, false));
      await assertKept(world, far);
      await assertSound(world);
      await finish(world, await world.volumes.detach(server.projectId, far.id));
    };
    await takeAndReturn();
    const { copyId, hostId } = await volumeOf(world, far.id);
    expect([copyId === null, hostId]).toEqual([false, server.hostId]);
    await takeAndReturn();
    expect((await volumeOf(world, far.id)).copyId).toBe(copyId);
  });

  it('is not brought one for which its host has no room, or that cannot be read', async () => {
    const far = await writtenVolume(world, 'kvm-2');
    const attach = () => world.volumes.attach(server.projectId, far.id, server.id, false);
    await world.dataSource.query('UPDATE hosts SET disk_gib = used_disk_gib + 9 WHERE id = $1', [
      server.hostId,
    ]);
    expect(await fails(await attach())).toBe('resource_unavailable');
    await assertSound(world);
    await world.dataSource.query('UPDATE hosts SET disk_gib = 1000 WHERE id = $1', [server.hostId]);
    world.fleet.failNext('kvm-2', 'copyVolume', { when: 'before', with: 'volume_missing' });
    expect(await fails(await attach())).toBe('volume_missing');
    expect(await volumeOf(world, far.id)).toMatchObject({ serverId: null, hostId: far.hostId, copyId: null });
    await assertKept(world, far);
    await assertSound(world);
  });

  it('has one that was brought though its former host was lost before it was cleared up', async () => {
    const far = await writtenVolume(world, 'kvm-2');
    world.fleet.failNext('kvm-2', 'deleteVolume', { when: 'before', with: 'host_unreachable' });
    await finish(world, await world.volumes.attach(server.projectId, far.id, server.id, false));
    await assertKept(world, far);
    const left = world.fleet.volumes('kvm-2').filter(({ name }) => name === volumeFileName(far));
    expect(left).toHaveLength(1);
    world.fleet.removeVolume('kvm-2', left[0]?.pool ?? '', volumeFileName(far));
    await assertSound(world);
  });

  it('takes no room any more for a growth, or a volume, whose workflow was given up', async () => {
    const { id, projectId } = volume;
    const givenUp = async (operation: 'growVolume' | 'deleteVolume', sagaId: number) => {
      world.fleet.failNext('kvm-1', operation, { when: 'before', with: 'volume_exists_foreign' });
      const { name } = await world.store.get(sagaId);
      const { state } = await runToEnd(world, name, sagaId, [], { operator: 'gives up' });
      expect(state).toBe('undone');
    };
    const rooms = () =>
      world.dataSource.query('SELECT disk_gib AS gib FROM reservations WHERE server_id = $1', [id]);
    await givenUp('growVolume', Number((await world.volumes.resize(projectId, id, 50)).sagaId));
    expect(await rooms()).toEqual([{ gib: volume.sizeGib }]);
    await assertSound(world);
    await finish(world, await world.volumes.detach(projectId, id));
    await world.volumes.delete(projectId, id);
    const [deletion] = await world.store.list({ subject: { type: 'volume', id }, limit: 1 });
    await givenUp('deleteVolume', deletion?.id ?? 0);
    expect(await rooms()).toEqual([]);
    const file = world.fleet.volumes('kvm-1').find(({ name }) => name === volumeFileName(volume));
    world.fleet.removeVolume('kvm-1', file?.pool ?? '', file?.name ?? '');
    await assertSound(world);
  });

  it('loses sight of it when its owner does not pay, gets it back, or loses it for good', async () => {
    const free = await standingVolume(world);
    const align = () => volumeSuspensionsOf(world).align();
    expect(await align()).toBe(0);
    await fallInArrears(world, server);
    expect(await align()).toBeGreaterThan(1);
    expect((await volumeOf(world, free.id)).retiredAt).toBeInstanceOf(Date);
    await expect(world.volumes.delete(free.projectId, free.id)).rejects.toMatchObject({
      code: 'volume_not_found',
    });
    await leaveArrears(world, server);
    await align();
    expect(await volumeOf(world, free.id)).toMatchObject({ retiredAt: null, deletedAt: null });
    await assertSound(world);
    await fallInArrears(world, server);
    await world.dataSource.query(`UPDATE arrears SET step = 'purge' WHERE closed_at IS NULL`);
    await align();
    expect((await volumeOf(world, free.id)).deletedAt).toBeInstanceOf(Date);
    expect((await volumeOf(world, volume.id)).deletedAt).toBeNull();
    await leaveArrears(world, server);
    await align();
  });
});
