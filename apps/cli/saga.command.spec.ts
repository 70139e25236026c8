import { userInfo } from 'node:os';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { Order } from '#libs/orders';
import { type Fault, withFaults } from '#libs/saga/harness';
import { SagaRunner } from '#libs/saga/runner';
import { Action, Server } from '#libs/servers';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  ledgerOf,
  order,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { serveryCli } from '../../test/support/servery-cli.ts';

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
let worker: SagaRunner;

beforeEach(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});

afterEach(async () => {
  await worker?.stop();
  await world.close();
  await destroyServerWorld(address);
});

const servery = serveryCli(() => ({
  DATABASE_URL: address.url,
  SERVERY_SIMULATED_FLEET_DIR: address.folder,
}));

async function startWorker(name = '', faults: readonly Fault[] = []): Promise<void> {
  const { dataSource, observers = [] } = world;
  const sagas = world.sagas.map((saga) => (saga.definition.name === name ? withFaults(saga, faults) : saga));
  const log = pino({ level: 'silent' });
  worker = new SagaRunner({ dataSource, sagas, observers, log, sweepSeconds: 0.05 });
  await worker.start();
}

const failing = (step: string): Fault => ({ step, direction: 'do', moment: 'before', kind: 'permanent' });
const stateOf = async (sagaId: number | null) => (await world.store.get(Number(sagaId))).state;

it('frees a server whose deletion waits behind a saga that is stuck past its point of no return', async () => {
  const server = await standingServer(world, 'running');
  await startWorker();

  world.fleet.failNext('kvm-1', 'detachSeed', { when: 'before', with: 'domain_missing' });
  const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
  const rebuild = (await world.commands.rebuild(server.projectId, server.id, image, 'reveal')).action;
  await expect.poll(() => stateOf(rebuild.sagaId), { timeout: 30_000 }).toBe('stuck');
  const deletion = await world.commands.delete(server.projectId, server.id);

  const stuck = await servery('saga', 'list', '--stuck');
  expect(stuck).toContain(`${rebuild.sagaId}  rebuild-server`);
  expect(stuck).not.toContain('delete-server');
  const shown = await servery('saga', 'show', String(rebuild.sagaId));
  expect(shown).toMatch(/do {3}erase-seed +try 1 failed .* domain_missing: /);
  expect(await stateOf(deletion.sagaId)).toBe('running');

  expect(await servery('saga', 'resume', String(rebuild.sagaId))).toContain('try it again');
  await expect.poll(() => stateOf(deletion.sagaId), { timeout: 30_000 }).toBe('done');
  expect(await stateOf(rebuild.sagaId)).toBe('done');
  await assertSound(world);
  await expect(servery('saga', 'resume', String(rebuild.sagaId))).rejects.toThrow(
    'only a stuck saga is resumed',
  );
});

it('takes back an order that is stuck with its payment taken, pays it back, and says who gave it up', async () => {
  await startWorker('provision-server', [failing('hand-over')]);
  const { order: placed, action, server } = await order(world);
  const id = String(action.sagaId);
  await expect.poll(() => stateOf(action.sagaId), { timeout: 30_000 }).toBe('stuck');
  expect((await ledgerOf(world)).capturedMinor).toBe(placed.holdAmountMinor);

  expect(await servery('saga', 'give-up', id)).toContain(`servery saga show ${id}`);
  await expect.poll(() => stateOf(action.sagaId), { timeout: 30_000 }).toBe('undone');
  const { dataSource } = world;
  expect(await dataSource.getRepository(Action).findOneByOrFail({ id: action.id })).toMatchObject({
    status: 'error',
    errorCode: 'given_up',
  });
  expect(await dataSource.getRepository(Order).findOneByOrFail({ id: placed.id })).toMatchObject({
    status: 'failed',
    failureCode: 'given_up',
  });
  const ledger = await ledgerOf(world);
  expect(ledger.refundedMinor).toBe(placed.holdAmountMinor);
  expect(await dataSource.getRepository(Server).findOneByOrFail({ id: server.id })).toMatchObject({
    desired: 'deleted',
  });
  await assertSound(world);
  expect(await servery('saga', 'show', id)).toMatch(
    /hand-over +try \d+ failed .* given_up: given up by the operator/,
  );
  expect(await servery('audit', '--subject', `saga:${id}`)).toMatch(
    new RegExp(`saga\\.give_up +saga ${id} +${userInfo().username} +shell`),
  );
  await expect(servery('saga', 'give-up', id)).rejects.toThrow('only a stuck saga is given up');
});

it('lets a deletion that was given up be asked for again', async () => {
  const server = await standingServer(world, 'running');
  await startWorker('delete-server', [failing('remove-volumes')]);
  const first = await world.commands.delete(server.projectId, server.id);
  await expect.poll(() => stateOf(first.sagaId), { timeout: 30_000 }).toBe('stuck');
  await expect(world.commands.delete(server.projectId, server.id)).rejects.toThrow('being deleted');
  await servery('saga', 'give-up', String(first.sagaId));
  await expect.poll(() => stateOf(first.sagaId), { timeout: 30_000 }).toBe('undone');
  const again = await world.commands.delete(server.projectId, server.id);
  await expect.poll(() => stateOf(again.sagaId), { timeout: 30_000 }).toBe('done');
  await assertSound(world);
});

it('lets a rebuild whose new system works, and which was given up then, be asked for again', async () => {
  const server = await standingServer(world, 'running');
  await startWorker();
  const images = world.dataSource.getRepository(Image);
  const mail = await images.findOneByOrFail({ name: 'mail' });
  world.fleet.failNext('kvm-1', 'detachSeed', { when: 'before', with: 'domain_missing' });
  const rebuild = () => world.commands.rebuild(server.projectId, server.id, mail, 'reveal');
  const { action } = await rebuild();
  await expect.poll(() => stateOf(action.sagaId), { timeout: 30_000 }).toBe('stuck');
  await servery('saga', 'give-up', String(action.sagaId));
  await expect.poll(() => stateOf(action.sagaId), { timeout: 30_000 }).toBe('undone');
  const servers = world.dataSource.getRepository(Server);
  const left = await servers.findOneByOrFail({ id: server.id });
  expect(left).toMatchObject({ observed: 'running', desired: 'running', generation: 2, imageId: mail.id });
  const again = (await rebuild()).action;
  await expect.poll(() => stateOf(again.sagaId), { timeout: 30_000 }).toBe('done');
  expect(await servers.findOneByOrFail({ id: server.id })).toMatchObject({
    observed: 'running',
    generation: 3,
  });
});

it('lists every saga that is stuck, as when a host has gone with many servers', async () => {
  await world.dataSource.query(
    `INSERT INTO sagas (id, name, params, state) SELECT n, 'delete-server', '{}', 'stuck' FROM generate_series(1, 60) n`,
  );
  const listed = await servery('saga', 'list', '--stuck');
  expect(listed.trimEnd().split('\n')).toHaveLength(60);
  expect((await servery('saga', 'list')).trimEnd().split('\n')).toHaveLength(50);
});
