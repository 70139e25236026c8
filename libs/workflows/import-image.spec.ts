import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { Image } from '#libs/images';
import { sandboxedTools } from '#libs/imports';
import type { WorldAddress } from '#libs/saga/harness';
import { Server, SnapshotsService } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import { assertNoFiles, importUpload } from './harness/importing.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, order, placedHost } from './harness/standing-server.ts';
import { scenarios } from './import-image.scenario.ts';
import { workflows } from './index.ts';

const run = promisify(execFile);
const module = new URL('./import-image.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('an imported image', () => {
  let address: WorldAddress;
  let world: ServerWorld;
  beforeAll(async () => {
    address = await createServerWorld();
    world = await attachToServerWorld(address);
  });
  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });

  it('is made by the real tools of a real disk, billed as a snapshot, and what servers are ordered of', async () => {
    const path = `${address.folder}-disk.vmdk`;
    await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=streamOptimized', path, '3G']);
    const deps = { ...world.deps, imports: { ...world.deps.imports, tools: sandboxedTools } };
    const real = { ...world, deps, sagas: workflows(deps) };
    await firstPrice(world.dataSource.manager, {
      item: 'snapshot/gib',
      title: 'Snapshot',
      hourlyMicro: 1000,
    });
    const { image, action } = await importUpload(real, {
      format: 'vmdk',
      bytes: await readFile(path),
    });
    await rm(path);
    await finish(real, action);
    const made = await world.dataSource.getRepository(Image).findOneByOrFail({ id: image.id });
    expect(made).toMatchObject({
      status: 'available',
      virtualSizeBytes: 3 * 1024 ** 3,
      importReport: { format: 'vmdk', diskCount: 1 },
    });
    await assertNoFiles(world);
    const spans = await world.dataSource.query(
      `SELECT component, quantity FROM usage_spans WHERE server_id = $1 AND closed_at IS NULL`,
      [image.id],
    );
    expect(spans).toEqual([{ component: 'snapshot', quantity: 1 }]);
    const placed = await order(world, made);
    await finish(world, placed.action);
    const server = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
    expect(server).toMatchObject({ observed: 'running', credentialKind: 'image', verifiedBy: 'identity' });
    await assertSound(world);
  });

  it('is ordered on the devices that it has then, and seen as far as it shows itself', async () => {
    const { image, action } = await importUpload(world);
    await finish(world, action);
    const images = world.dataSource.getRepository(Image);
    const change = { devices: { diskBus: 'sata' }, verification: 'ssh' } as const;
    const made = await new SnapshotsService(world.dataSource).change(
      Number(image.projectId),
      image.id,
      change,
    );
    const { name } = await placedHost(world);
    world.fleet.change(name, { guestFault: 'no_cloud_init' });
    await finish(world, (await order(world, made)).action);
    const server = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
    const devices = { firmware: 'bios', diskBus: 'sata', nicModel: 'virtio' };
    expect(server).toMatchObject({ observed: 'running', verifiedBy: 'ssh', hostKey: null, devices });

    // What is detected later changes neither the server nor what is made of it.
    await images.update({ id: image.id }, { devices: { ...devices, firmware: 'uefi' } as Image['devices'] });
    const wanted = { description: null, labels: {} };
    const snapshot = await world.commands.createImage(server.projectId, server.id, wanted);
    await finish(world, snapshot.action);
    expect(world.fleet.domain(name, server.domainUuid)).toMatchObject(devices);
    expect(await images.findOneByOrFail({ id: snapshot.imageId })).toMatchObject({
      devices,
      verification: 'ssh',
    });
    world.fleet.change(name, { guestFault: null });
  });
});
