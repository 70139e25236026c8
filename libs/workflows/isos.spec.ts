import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { Iso, IsosService } from '#libs/isos';
import type { WorldAddress } from '#libs/saga/harness';
import type { Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createIsoWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';
import { scenarios } from './iso.scenario.ts';

const module = new URL('./iso.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('a server with an ISO image in its CD drive', () => {
  let address: WorldAddress;
  let world: ServerWorld;
  let server: Server;
  let iso: Iso;
  beforeAll(async () => {
    address = await createIsoWorld();
    world = await attachToServerWorld(address);
    server = await standingServer(world, 'running');
    iso = await world.dataSource.getRepository(Iso).findOneByOrFail({ name: 'netboot' });
    await finish(world, await world.isos.attach(server.projectId, server.id, iso.id));
  });
  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });

  const inDrive = () => {
    const [host = ''] = world.fleet.hostNames();
    return world.fleet.domain(host, server.domainUuid)?.iso;
  };

  it('keeps it over a snapshot and in its rescue system', async () => {
    const { projectId, id } = server;
    const wanted = { description: null, labels: {} };
    await finish(world, (await world.commands.createImage(projectId, id, wanted)).action);
    expect(inDrive()).toBe(iso.volumeName);
    await finish(world, (await world.rescues.enable(projectId, id, [])).action);
    await finish(world, await world.commands.reset(projectId, id));
    expect(inDrive()).toBe(iso.volumeName);
    await finish(world, await world.commands.reset(projectId, id));
    expect(inDrive()).toBe(iso.volumeName);
    await assertSound(world);
  });

  it('is not rebuilt, for it would not start from its new disk', async () => {
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
    await expect(world.commands.rebuild(server.projectId, server.id, image, 'reveal')).rejects.toMatchObject({
      code: 'iso_attached',
    });
  });

  it('has neither what goes in nor what comes out withdrawn while they are exchanged', async () => {
    const { dataSource, isos } = world;
    const other = await dataSource.getRepository(Iso).findOneByOrFail({ name: 'drivers' });
    const withdraw = (one: Iso) =>
      dataSource.transaction((manager) => new IsosService(dataSource).withdraw(manager, one));
    const exchange = await isos.attach(server.projectId, server.id, other.id);
    // As it is between the two steps: the drive is empty.
    await dataSource.query('UPDATE servers SET iso_id = NULL WHERE id = $1', [server.id]);
    for (const one of [other, iso]) {
      await expect(withdraw(one)).rejects.toMatchObject({ code: 'iso_in_use' });
    }
    await finish(world, exchange);
    expect(inDrive()).toBe(other.volumeName);
    await assertSound(world);
  });

  it('is refused what is not on its host, and what needs a bus that it has not', async () => {
    const { dataSource, isos } = world;
    const other = await dataSource.getRepository(Iso).findOneByOrFail({ name: 'drivers' });
    await dataSource.query('DELETE FROM host_isos WHERE iso_id = $1', [other.id]);
    const attach = () => isos.attach(server.projectId, server.id, other.id);
    await expect(attach()).rejects.toMatchObject({ code: 'iso_unavailable' });
    const devices = (bus: string) =>
      dataSource.query(
        `UPDATE servers SET devices = jsonb_set(devices, '{diskBus}', $2::jsonb) WHERE id = $1`,
        [server.id, JSON.stringify(bus)],
      );
    await devices('sata');
    await expect(attach()).rejects.toMatchObject({ code: 'iso_bus_unsupported' });
    await devices('virtio');
  });

  it('is deleted with it', async () => {
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await assertSound(world);
  });
});
