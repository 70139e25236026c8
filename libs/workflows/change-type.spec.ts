import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServerType } from '#libs/catalog';
import { Image } from '#libs/images';
import { gibToBytes } from '#libs/kernel';
import { runToEnd } from '#libs/saga/harness';
import { diskVolumeName, Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { change, scenarios } from './change-type.scenario.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';

const module = new URL('./change-type.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

let world: ServerWorld;
let destroy: () => Promise<void>;
let server: Server;

beforeAll(async () => {
  const address = await createServerWorld();
  world = await attachToServerWorld(address);
  server = await standingServer(world, 'running');
  destroy = async () => {
    await world.close();
    await destroyServerWorld(address);
  };
});
afterAll(() => destroy());

const reload = () => world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
const typeNamed = (name: string) => world.dataSource.getRepository(ServerType).findOneByOrFail({ name });
const host = () => world.fleet.hostNames()[0] ?? '';

async function changed(to: string, upgradesDisk = false) {
  await finish(world, await change(world, server, to, upgradesDisk));
  await assertSound(world);
  return reload();
}

async function spans(component: string) {
  return world.dataSource.query<{ item: string; isOpen: boolean }[]>(
    `SELECT price_item AS item, closed_at IS NULL AS "isOpen" FROM usage_spans
     WHERE server_id = $1 AND component = $2 AND (closed_at IS NULL OR closed_at > opened_at) ORDER BY opened_at, closed_at`,
    [server.id, component],
  );
}

it('goes up and down again while its disk stays, and bills what it is', async () => {
  expect(await changed('s2')).toMatchObject({ diskGib: 10, observed: 'running' });
  expect((await spans('disk')).at(-1)).toEqual({ item: 'disk/s2', isOpen: true });
  expect(await spans('compute')).toContainEqual({ item: 'compute/s2', isOpen: true });
  expect(await changed('s1')).toMatchObject({ diskGib: 10, observed: 'running' });
  expect((await spans('disk')).at(-1)).toEqual({ item: 'disk/s1', isOpen: true });
});

it('starts a server that was off, as it is told to', async () => {
  await standingServer(world, 'off');
  await world.dataSource.query(`UPDATE usage_spans SET closed_at = greatest(opened_at, date_trunc('second', now()))
    WHERE component = 'compute' AND closed_at IS NULL`);
  const type = await typeNamed('s2');
  const kept = { type, upgradesDisk: false, restarts: false };
  await finish(world, await world.types.change(server.projectId, server.id, kept));
  await assertSound(world);
  expect(await reload()).toMatchObject({ observed: 'running', desired: 'running' });
  await changed('s1');
});

it('refuses what cannot be, and changes nothing', async () => {
  const ask = async (name: string, as: Partial<ServerType> = {}, restarts = true) => {
    const type = { ...(await typeNamed(name)), ...as };
    return world.types.change(server.projectId, server.id, { type, upgradesDisk: false, restarts });
  };
  const invalid = { code: 'invalid_server_type', fields: [{ name: 'server_type' }] };
  await expect(ask('s2', {}, false)).rejects.toMatchObject({ code: 'server_must_be_off' });
  await expect(ask('s1')).rejects.toMatchObject(invalid);
  await expect(ask('s2', { deprecatedAt: new Date() })).rejects.toMatchObject(invalid);
  const shrinking = { ...invalid, message: expect.stringContaining('cannot shrink') };
  await expect(ask('s2', { diskGib: 9 })).rejects.toMatchObject(shrinking);
  await expect(ask('s2', { memoryMib: 256 })).rejects.toMatchObject({ code: 'image_too_large' });
  await assertSound(world);
});

it('says how much room its host lacks, tells the operator, and goes when there is room', async () => {
  await world.dataSource.query('UPDATE hosts SET vcpus = used_vcpus');
  await expect(change(world, server, 's2', true)).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'resource_unavailable',
    details: { missing: { missingVcpus: 1, missingMemoryMib: 0, missingDiskGib: 0 } },
  });
  const told = await world.dataSource.query<unknown[]>('SELECT kind FROM findings WHERE resolved_at IS NULL');
  expect(told).toEqual([{ kind: 'out_of_capacity' }]);
  await world.dataSource.query('UPDATE hosts SET vcpus = 32');
  expect(await changed('s2')).toMatchObject({ diskGib: 10 });
  await changed('s1');
});

it('keeps the room that it leaves until there is no way back', async () => {
  await changed('s2');
  const { vcpus } = await typeNamed('s2');
  const action = await change(world, server, 's1', false);
  const [room] = await world.dataSource.query<{ vcpus: number }[]>(
    'SELECT vcpus FROM reservations WHERE server_id = $1',
    [server.id],
  );
  expect(room).toEqual({ vcpus });
  await finish(world, action);
  await assertSound(world);
});

it('grows the disk above its snapshot, to which it can be rolled back, and which stays as it was', async () => {
  const wanted = { description: 'small', labels: {}, withMemory: true };
  const { action, imageId } = await world.commands.createImage(server.projectId, server.id, wanted);
  await finish(world, action);
  const grown = await changed('s2', true);
  expect(grown).toMatchObject({ diskGib: 20 });
  const images = world.dataSource.getRepository(Image);
  const snapshot = await images.findOneByOrFail({ id: imageId });
  expect(snapshot.virtualSizeBytes).toBe(gibToBytes(10));
  await finish(world, await world.commands.rollBack(server.projectId, server.id, snapshot));
  await assertSound(world);
  const after = await reload();
  const disk = world.fleet.volumes(host()).find(({ name }) => name === diskVolumeName(after));
  expect([after.observed, disk?.capacityBytes]).toEqual(['running', gibToBytes(20)]);
});

it('boots from a snapshot with memory that was kept of it when it had another size', async () => {
  const wanted = { description: 'of s2', labels: {}, withMemory: true };
  const { action, imageId } = await world.commands.createImage(server.projectId, server.id, wanted);
  await finish(world, action);
  await changed('s4');
  const snapshot = await world.dataSource.getRepository(Image).findOneByOrFail({ id: imageId });
  expect(snapshot.memoryBytes).not.toBeNull();
  await finish(world, await world.commands.rollBack(server.projectId, server.id, snapshot));
  await assertSound(world);
  expect(await reload()).toMatchObject({ observed: 'running' });
});

it('does not turn off a guest that does not listen', async () => {
  const action = await change(world, server, 's2', false);
  world.fleet.failNext(host(), 'shutdownDomain', { when: 'before', with: 'domain_missing' });
  const { state, error } = await runToEnd(world, 'change-type', Number(action.sagaId), []);
  expect([state, error?.code]).toEqual(['undone', 'domain_missing']);
  expect(await reload()).toMatchObject({ observed: 'running', desired: 'running' });
  await assertSound(world);
});
