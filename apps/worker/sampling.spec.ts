import { PinoLogger } from 'nestjs-pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MetricsService } from '#libs/metrics';
import { HostsService } from '#libs/placement';
import type { Server } from '#libs/servers';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { Sampling } from './sampling.ts';

const HOST = 'kvm-1';

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
let server: Server;
let sampling: Sampling;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  server = await standingServer(world, 'running');
  const { dataSource, hypervisor } = world.deps;
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  sampling = new Sampling(dataSource, hypervisor, new HostsService(dataSource), log);
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

async function points(): Promise<number> {
  const [start, end] = [Date.now() - 600_000, Date.now() + 1000].map((at) => new Date(at));
  const { series } = await new MetricsService(world.dataSource).of(server.id, {
    ...{ types: ['cpu'], start: start as Date, end: end as Date, stepSeconds: 1 },
  });
  return series.cpu?.length ?? 0;
}

it('looks at each host, lets none that does not answer hold it up, and begins anew when it is back', async () => {
  await sampling.run();
  expect(await points()).toBe(0);
  await sampling.run();
  const seen = await points();
  expect(seen).toBeGreaterThan(0);
  world.fleet.change(HOST, { unreachable: true });
  await sampling.run();
  world.fleet.change(HOST, { unreachable: false });
  await sampling.run();
  expect(await points()).toBeGreaterThanOrEqual(seen);
  await sampling.thin();
  expect(await points()).toBeGreaterThanOrEqual(seen);
});

it('is done by one worker at a time', async () => {
  await Promise.all([sampling.run(), sampling.run(), sampling.run()]);
  const { dataSource } = world;
  await dataSource.query('DELETE FROM server_samples');
  const runner = dataSource.createQueryRunner();
  await runner.query('SELECT pg_advisory_lock(7305183642)');
  await sampling.run();
  await runner.query('SELECT pg_advisory_unlock(7305183642)');
  await runner.release();
  expect(await points()).toBe(0);
});
