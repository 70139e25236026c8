import { PinoLogger } from 'nestjs-pino';
import { afterEach, beforeEach } from 'vitest';
import { HostsService } from '#libs/placement';
import type { WorldAddress } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { Reconciler } from './reconciler.ts';

export const HOST = 'kvm-1';
export const DISKS = 'servery-disks';

export let world: ServerWorld;
/** The one server of the world, which runs. */
export let server: Server;
export let reconciler: Reconciler;

/** Each test has a world of its own, with one host unless told, one server that runs on it, and a reconciler. */
export function reconcilesAnewEachTime(create: () => Promise<WorldAddress> = createServerWorld): void {
  let address: WorldAddress;

  beforeEach(async () => {
    address = await create();
    world = await attachToServerWorld(address);
    server = await standingServer(world, 'running');
    const { dataSource, hypervisor, access, findings } = world.deps;
    const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
    reconciler = new Reconciler(dataSource, hypervisor, access, new HostsService(dataSource), findings, log);
  });

  afterEach(async () => {
    await world.close();
    await destroyServerWorld(address);
  });
}

export interface FindingRow {
  readonly kind: string;
  readonly subject: string;
  readonly details: Record<string, unknown>;
}

export function openFindings(): Promise<FindingRow[]> {
  return world.dataSource.query(
    'SELECT kind, subject, details FROM findings WHERE resolved_at IS NULL ORDER BY kind, subject',
  );
}

export function reload(): Promise<Server> {
  return world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
}

export const disks = () =>
  world.fleet
    .volumes(HOST)
    .filter(({ pool }) => pool === DISKS)
    .map(({ name }) => name)
    .sort();

export function plantVolume(name: string): void {
  world.fleet.putVolume(HOST, { name, pool: DISKS, capacityBytes: 4096, allocationBytes: 4096 });
}
