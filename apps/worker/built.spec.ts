import { afterEach, beforeEach, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { type Action, diskVolumeName, Server } from '#libs/servers';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { type BuiltApp, startBuilt } from '../../test/support/built-app.ts';

const HOST = 'kvm-1';
const DISKS = 'servery-disks';
/** Long enough for this test to come in between. */
const SLOW_MILLISECONDS = 4000;

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
const workers: BuiltApp[] = [];

beforeEach(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});

afterEach(async () => {
  for (const worker of workers.splice(0)) worker.process.kill('SIGKILL');
  await world.close();
  await destroyServerWorld(address);
});

async function startWorker(): Promise<BuiltApp> {
  const { url: DATABASE_URL = '', folder = '', stripePort = '' } = address;
  const worker = await startBuilt('worker', {
    DATABASE_URL,
    SERVERY_SIMULATED_FLEET_DIR: folder,
    // The key of the world's own secrets.
    SERVERY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    SERVERY_RECONCILE_SECONDS: '3600',
    STRIPE_API_PORT: stripePort,
  });
  workers.push(worker);
  return worker;
}

/** A rebuild of the standing server: its second step is one of the host's. */
async function askForRebuild(server: Server): Promise<Action> {
  const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
  return (await world.commands.rebuild(server.projectId, server.id, image, 'reveal')).action;
}

it('lets the step in progress end when it is told to stop, and another worker goes on with the next', async () => {
  const server = await standingServer(world, 'running');
  const { sagaId } = await askForRebuild(server);
  const saga = () => world.store.get(Number(sagaId));
  const log = async () =>
    (await world.store.log(Number(sagaId))).map((line) => `${line.step} ${line.try} ${line.outcome}`);

  world.fleet.change(HOST, { latencyMs: SLOW_MILLISECONDS });
  const first = await startWorker();
  await expect.poll(async () => (await saga()).step, { timeout: 50_000 }).toBe('clone-disk');
  expect(await log()).toEqual(['prepare 1 succeeded']);
  expect(await first.stop()).toBe(0);

  expect(await log()).toEqual(['prepare 1 succeeded', 'clone-disk 1 succeeded']);
  expect(await saga()).toMatchObject({ state: 'running', step: 'make-identity', leaseOwner: null });
  const disk = diskVolumeName({ id: server.id, generation: 2 });
  expect(world.fleet.volume(HOST, DISKS, disk)).toBeDefined();

  world.fleet.change(HOST, { latencyMs: 0 });
  const second = await startWorker();
  await expect.poll(async () => (await saga()).state, { timeout: 50_000 }).toBe('done');
  const steps = await log();
  expect(steps.filter((line) => line.startsWith('clone-disk'))).toEqual(['clone-disk 1 succeeded']);
  expect(steps.at(-1)).toBe('hand-over 1 succeeded');
  expect(new Set(steps).size).toBe(steps.length);
  expect(await second.stop()).toBe(0);
  const disks = world.fleet.volumes(HOST).filter(({ pool }) => pool === DISKS);
  expect(disks.map(({ name }) => name)).toEqual([disk]);
  expect(world.fleet.domains(HOST)).toMatchObject([{ state: 'running', diskVolume: disk }]);
});
