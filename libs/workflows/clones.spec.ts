import { afterAll, beforeAll, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { runToEnd } from '#libs/saga/harness';
import { diskVolumeName, Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { assertExact, scenarios } from './clone.scenario.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  lift,
  orderClone,
  type ServerWorld,
  settle,
  standingServer,
  suspend,
} from './harness/index.ts';

const module = new URL('./clone.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

let world: ServerWorld;
let destroy: () => Promise<void>;

beforeAll(async () => {
  const address = await createServerWorld();
  world = await attachToServerWorld(address);
  destroy = async () => {
    await world.close();
    await destroyServerWorld(address);
  };
});
afterAll(() => destroy());

/** Orders a clone as the API does, and runs the freezing and it to their ends. */
async function clone(kind: 'safe' | 'exact') {
  const { projectId, id: originalId } = await standingServer(world, 'running');
  const { server, action } = await world.clones.clone({
    ...{ serverId: newId(), projectId, originalId, currency: 'eur', name: `clone-${newId()}`, labels: {} },
    ...{ kind, network: 'isolated', holdsTimers: false, startAfterCreate: true },
  });
  const ended = await runToEnd(world, 'clone-server', Number(action.sagaId), []);
  await assertSound(world);
  return { ended, server: await reload(server.id) };
}

const reload = (id: number) => world.dataSource.getRepository(Server).findOneByOrFail({ id });

it('stands on the frozen disk of its original, and is isolated again after a suspension', async () => {
  const { server: made } = await clone('safe');
  expect(made.standsOn).toBe(made.copiedDiskId);
  const [host = ''] = world.fleet.hostNames();
  const disk = () => world.fleet.volumes(host).find(({ name }) => name === diskVolumeName(made));
  expect(disk()?.guest?.hostname).toBe(made.name);
  await suspend(world, made, 'billing');
  await settle(world);
  expect(world.fleet.domain(host, made.domainUuid)).toMatchObject({ state: 'off', network: 'closed' });
  await lift(world, made, 'billing');
  await settle(world);
  await assertSound(world);
  expect(world.fleet.domain(host, made.domainUuid)).toMatchObject({ network: 'isolated' });
  await finish(world, await world.commands.delete(made.projectId, made.id));
});

it('is all that its original is when it is exact, and takes its address over when that one is gone', async () => {
  const { server: made } = await clone('exact');
  await expect(
    world.commands.rebuild(made.projectId, made.id, { appliance: {} } as never, 'reveal'),
  ).rejects.toMatchObject({ code: expect.stringMatching(/network_closed|image_too_large/) });
  await assertExact(world, made);
});

it('is refused its order when the original cannot be frozen, and nothing is charged', async () => {
  const [host = ''] = world.fleet.hostNames();
  world.fleet.failNext(host, 'freezeDisk', { when: 'before', with: 'domain_exists_foreign' });
  const { ended } = await clone('safe');
  expect(ended).toMatchObject({ state: 'undone', error: { code: 'domain_exists_foreign' } });
});

it('has its timers held again where it is rolled back to when they were, and lets them go again', async () => {
  const ordered = await orderClone(world, await standingServer(world, 'running'), 'safe');
  await finish(world, ordered.action);
  const { id, projectId } = ordered.server;
  const taken = { description: null, labels: {} };
  const { action, imageId } = await world.commands.createImage(projectId, id, taken);
  await finish(world, action);
  await finish(world, await world.commands.openNetwork(projectId, id));
  expect(await reload(id)).toMatchObject({ network: 'open', holdsTimers: false });
  const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: imageId });
  await finish(world, await world.commands.rollBack(projectId, id, image));
  expect(await reload(id)).toMatchObject({ network: 'open', holdsTimers: true });
  const exact = await orderClone(world, await reload(id), 'exact');
  await finish(world, exact.action);
  expect((await reload(exact.server.id)).holdsTimers).toBe(true);
  await finish(world, await world.commands.openNetwork(projectId, id));
  expect((await reload(id)).holdsTimers).toBe(false);
  await assertSound(world);
});
