import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PinoLogger } from 'nestjs-pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishIso } from '#libs/fleet';
import { missingIsos } from '#libs/isos';
import { type Host, HostsService } from '#libs/placement';
import type { WorldAddress } from '#libs/saga/harness';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from '#libs/workflows/harness';
import { IsoSpreading } from './iso-spreading.ts';
import { Spreading } from './spreading.ts';

/** As few as an ISO image can have: the last one has its mark. */
const SECTORS = 17;
const SECTOR_BYTES = 2048;

let address: WorldAddress;
let world: ServerWorld;
let spreading: IsoSpreading;
let folder: string;
/** Of their volumes, in the order in which they were added. */
let names: string[];

beforeEach(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  const { dataSource } = world.deps;
  const hosts = new HostsService(dataSource);
  folder = await mkdtemp(join(tmpdir(), 'servery-isos-'));
  names = [await publish('netboot'), await publish('drivers')];
  spreading = anew();
  const [first] = await hosts.all();
  const { hostUuid } = world.fleet.addHost('kvm-2');
  const { id: _, ...like } = { ...first, ...world.fleet.hostRef('kvm-2', 0), hostUuid } as NonNullable<
    typeof first
  >;
  await hosts.save(dataSource.manager, like);
});
afterEach(async () => {
  await world.close();
  await destroyServerWorld(address);
  await rm(folder, { recursive: true });
});

/** As a worker has it that has just begun. */
function anew(): IsoSpreading {
  const { dataSource, hypervisor, findings, imports } = world.deps;
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  const hosts = new HostsService(dataSource);
  const through = new Spreading(dataSource, hypervisor, hosts, findings, imports.store, log);
  return new IsoSpreading(dataSource, hypervisor, through, log);
}

/** @returns the name of its volume */
async function publish(name: string): Promise<string> {
  const { dataSource, hypervisor } = world.deps;
  const path = join(folder, `${name}.iso`);
  const sectors = Buffer.alloc(SECTORS * SECTOR_BYTES, name);
  sectors.write('CD001', (SECTORS - 1) * SECTOR_BYTES + 1);
  await writeFile(path, sectors);
  return (await publishIso(dataSource, hypervisor, { name, description: name, path })).iso.volumeName;
}

const anHourAgo = () => world.dataSource.query(`UPDATE isos SET created_at = created_at - interval '1 hour'`);
const there = (name = 'kvm-2') =>
  world.fleet
    .volumes(name)
    .map(({ name }) => name)
    .sort();
const findings = () =>
  world.dataSource.query('SELECT kind, subject, details FROM findings WHERE resolved_at IS NULL ORDER BY 2');

describe('ISO images', () => {
  it('come to a host that was added later, but for what their operator is just bringing', async () => {
    await spreading.run();
    expect(there()).toEqual([]);
    await anHourAgo();
    await spreading.run();
    expect(there()).toEqual(names);
    for (const { id } of await new HostsService(world.dataSource).all()) {
      expect(await missingIsos(world.dataSource.manager, id, { olderThanMinutes: 0 })).toEqual([]);
    }
    await spreading.run();
    expect(await findings()).toEqual([]);
  });

  it('that a host refuses are told to the operator, and brought once it takes them', async () => {
    await anHourAgo();
    world.fleet.failNext('kvm-2', 'importImage', { when: 'before', with: 'pool_full' });
    for (const _round of [1, 2]) {
      await spreading.run();
      expect(there()).toEqual(names.slice(1));
      expect(await findings()).toMatchObject([
        { kind: 'iso_refused', subject: 'netboot', details: { code: 'pool_full' } },
      ]);
    }
    await anew().run();
    expect(there()).toEqual(names);
    expect(await findings()).toEqual([]);
  });

  it('come from another host that has them where the first does not answer', async () => {
    await anHourAgo();
    await spreading.run();
    const [like] = await new HostsService(world.dataSource).all();
    const { hostUuid } = world.fleet.addHost('kvm-3');
    const { id: _, ...third } = { ...like, ...world.fleet.hostRef('kvm-3', 0), hostUuid } as Host;
    await new HostsService(world.dataSource).save(world.dataSource.manager, third);
    // Drained, it is not said to be unreachable.
    world.fleet.change('kvm-1', { unreachable: true });
    await spreading.run();
    expect(there('kvm-3')).toEqual(names);
  });

  it('that cannot be brought because a host is away wait for it', async () => {
    await anHourAgo();
    world.fleet.failNext('kvm-1', 'downloadImage', { when: 'before', with: 'host_unreachable' });
    await spreading.run();
    expect([there(), await findings()]).toEqual([names.slice(1), []]);
    await spreading.run();
    expect(there()).toEqual(names);
  });
});
