import { PinoLogger } from 'nestjs-pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { addressOf, addressPools, claimAddress, removeAddresses } from '#libs/networks';
import { HostsService } from '#libs/placement';
import { adoptDisk, diskVolumeName, Server } from '#libs/servers';
import { volumeFileName } from '#libs/volumes';
import {
  assertKept,
  attachToServerWorld,
  createVolumeWorld,
  destroyServerWorld,
  finish,
  order,
  type ServerWorld,
  standingServer,
  volumeOf,
  writtenVolume,
} from '#libs/workflows/harness';
import { backUp, restore, type TestDatabase } from '../../../test/support/postgres.ts';
import { Reconciler } from './reconciler.ts';

const HOST = 'kvm-1';

let address: Awaited<ReturnType<typeof createVolumeWorld>>;
let world: ServerWorld;
let restored: TestDatabase | undefined;

beforeEach(async () => {
  address = await createVolumeWorld();
  world = await attachToServerWorld(address);
});
afterEach(async () => {
  await world.close();
  await restored?.drop();
  restored = undefined;
  await destroyServerWorld(address);
});

/** The database goes back to what it was before `work`; the hosts stay as they are. */
async function goneBackBehind<T>(work: () => Promise<T>): Promise<T> {
  const file = await backUp(String(address.url));
  const result = await work();
  await world.close();
  restored = await restore(file);
  world = await attachToServerWorld({ ...address, url: restored.url });
  await world.dataSource.query(`UPDATE sagas SET finished_at = finished_at - interval '1 hour'`);
  return result;
}

async function reconcile(): Promise<{ kind: string; subject: string; details: Record<string, unknown> }[]> {
  const { dataSource, hypervisor, access, findings } = world.deps;
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  await new Reconciler(dataSource, hypervisor, access, new HostsService(dataSource), findings, log).run();
  return world.dataSource.query(
    'SELECT kind, subject, details FROM findings WHERE resolved_at IS NULL ORDER BY kind, subject',
  );
}

const serverOf = (id: number) => world.dataSource.getRepository(Server).findOneByOrFail({ id });
const diskNames = (host = HOST) => world.fleet.volumes(host).map(({ name }) => name);

async function ordered(): Promise<Server> {
  const { action, server } = await order(world);
  await finish(world, action);
  return serverOf(server.id);
}

it('a disk that was seen while a rebuild was undone is not taken for one of later', async () => {
  const { id, generation } = await standingServer(world, 'running');
  expect(await adoptDisk(world.dataSource.manager, { id, generation: generation + 1 })).toBe(false);
  expect(await serverOf(id)).toMatchObject({ generation });
});

describe('a backup of the database that was restored', () => {
  it('takes nothing from a server that was ordered since, nor gives its address to another', async () => {
    const before = await standingServer(world, 'running');
    const { server, ip } = await goneBackBehind(async () => {
      const server = await ordered();
      return { server, ip: (await addressOf(world.dataSource.manager, server.id))?.ip ?? '' };
    });
    for (let round = 0; round < 2; round += 1) {
      expect(await reconcile()).toMatchObject([
        { kind: 'orphan_domain', subject: server.domainUuid, details: { addresses: [ip], removed: false } },
        { kind: 'orphan_volume', subject: diskVolumeName(server), details: { removed: false } },
      ]);
    }
    expect(world.fleet.domain(HOST, server.domainUuid)?.state).toBe('running');
    const { manager } = world.dataSource;
    await expect(removeAddresses(manager, { firstIp: ip, count: 1 })).rejects.toMatchObject({
      code: 'addresses_in_use',
    });
    const [pool] = await addressPools(manager);
    const claimed: string[] = [];
    for (let left = pool?.free ?? 0; left > 0; left -= 1) {
      claimed.push((await claimAddress(manager, newId(), before.locationId)).ip);
    }
    expect(claimed).not.toContain(ip);
    await expect(claimAddress(manager, newId(), before.locationId)).rejects.toMatchObject({
      code: 'addresses_exhausted',
    });

    world.fleet.removeDomain(HOST, server.domainUuid);
    await reconcile();
    expect((await claimAddress(manager, newId(), before.locationId)).ip).toBe(ip);
  });

  it('knows the disk that a server was rebuilt with since, which goes on with all that it can', async () => {
    const { id, projectId } = await standingServer(world, 'running');
    const { generation } = await serverOf(id);
    await goneBackBehind(async () => {
      const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
      await finish(world, (await world.commands.rebuild(projectId, id, image, 'reveal')).action);
    });
    expect(await serverOf(id)).toMatchObject({ generation });
    expect(await reconcile()).toMatchObject([{ kind: 'disk_adopted', details: { serverId: id } }]);
    expect(await serverOf(id)).toMatchObject({ generation: generation + 1, observed: 'running' });
    expect(await reconcile()).toEqual([]);

    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'web' });
    await finish(world, (await world.commands.rebuild(projectId, id, image, 'reveal')).action);
    expect(diskNames()).toContain(diskVolumeName({ id, generation: generation + 2 }));
    expect(await reconcile()).toEqual([]);
  });

  it('keeps what a snapshot since has frozen, on which the server stands', async () => {
    const { id, projectId } = await standingServer(world, 'running');
    const { generation } = await serverOf(id);
    const takeSnapshot = async () => {
      const wanted = { type: 'snapshot', description: null, labels: {}, withMemory: false } as const;
      await finish(world, (await world.commands.createImage(projectId, id, wanted)).action);
    };
    await goneBackBehind(takeSnapshot);
    const frozen = diskVolumeName({ id, generation });
    expect(await reconcile()).toMatchObject([
      { kind: 'disk_adopted', details: { serverId: id, generation: generation + 1 } },
      { kind: 'orphan_volume', subject: frozen, details: { removed: false } },
    ]);
    expect(diskNames()).toContain(frozen);
    await takeSnapshot();
    expect(await serverOf(id)).toMatchObject({ generation: generation + 2 });
  });

  it('keeps the one copy of a volume that was brought to another host since', async () => {
    const server = await standingServer(world, 'running');
    const volume = await writtenVolume(world, 'kvm-2');
    const brought = await goneBackBehind(async () => {
      await finish(world, await world.volumes.attach(server.projectId, volume.id, server.id, false));
      await finish(world, await world.volumes.detach(server.projectId, volume.id));
      return volumeOf(world, volume.id);
    });
    expect(await reconcile()).toMatchObject([{ kind: 'volume_missing', details: { volumeId: volume.id } }]);
    expect(diskNames()).toContain(volumeFileName(brought));
    // As an operator does who has read of it.
    await world.dataSource.query('UPDATE volumes SET copy_id = $2, host_id = $3 WHERE id = $1', [
      volume.id,
      brought.copyId,
      brought.hostId,
    ]);
    await assertKept(world, volume);
    expect(await reconcile()).toEqual([]);
  });
});
