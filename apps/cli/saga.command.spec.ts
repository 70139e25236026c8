import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { SagaRunner } from '#libs/saga/runner';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { builtCli } from '../../test/support/built-cli.ts';

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

const servery = builtCli(() => ({ DATABASE_URL: address.url, SERVERY_SIMULATED_FLEET_DIR: address.folder }));

it('frees a server whose deletion waits behind a saga that is stuck past its point of no return', async () => {
  const server = await standingServer(world, 'running');
  const { dataSource, sagas, observers = [] } = world;
  worker = new SagaRunner({
    dataSource,
    sagas,
    observers,
    log: pino({ level: 'silent' }),
    sweepSeconds: 0.05,
  });
  await worker.start();
  const state = async (sagaId: number | null) => (await world.store.get(Number(sagaId))).state;

  world.fleet.failNext('kvm-1', 'startDomain', { when: 'before', with: 'volume_missing' });
  const image = await dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
  const rebuild = (await world.commands.rebuild(server.projectId, server.id, image, 'reveal')).action;
  await expect.poll(() => state(rebuild.sagaId), { timeout: 30_000 }).toBe('stuck');
  const deletion = await world.commands.delete(server.projectId, server.id);

  const stuck = await servery('saga', 'list', '--stuck');
  expect(stuck).toContain(`${rebuild.sagaId}  rebuild-server`);
  expect(stuck).not.toContain('delete-server');
  const shown = await servery('saga', 'show', String(rebuild.sagaId));
  expect(shown).toMatch(/do {3}start-domain +try 1 failed .* volume_missing: /);
  expect(await state(deletion.sagaId)).toBe('running');

  expect(await servery('saga', 'resume', String(rebuild.sagaId))).toContain('try it again');
  await expect.poll(() => state(deletion.sagaId), { timeout: 30_000 }).toBe('done');
  expect(await state(rebuild.sagaId)).toBe('done');
  await assertSound(world);
  await expect(servery('saga', 'resume', String(rebuild.sagaId))).rejects.toThrow(
    'only a stuck saga is resumed',
  );
});
