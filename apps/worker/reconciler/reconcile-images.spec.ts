import { PinoLogger } from 'nestjs-pino';
import { describe, expect, it } from 'vitest';
import { OUR_DEVICES } from '#libs/hypervisor';
import { Image, ImagesService } from '#libs/images';
import { HostsService } from '#libs/placement';
import { Server, SnapshotsService } from '#libs/servers';
import { finish, importUpload, order } from '#libs/workflows/harness';
import { ImageSpreading } from '../image-spreading.ts';
import { Spreading } from '../spreading.ts';
import {
  HOST,
  openFindings,
  reconciler,
  reconcilesAnewEachTime,
  server,
  world,
} from './reconciler.fixture.ts';

reconcilesAnewEachTime();

describe('an imported image', () => {
  it('leaves the hosts when it was deleted and no server is of it any more', async () => {
    const { image, action } = await importUpload(world);
    await finish(world, action);
    const made = await world.dataSource.getRepository(Image).findOneByOrFail({ id: image.id });
    const { action: ordered } = await order(world, made);
    await finish(world, ordered);
    const heir = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
    await new SnapshotsService(world.dataSource).delete(server.projectId, image.id);
    const isThere = () => world.fleet.volumes(HOST).some(({ name }) => name === made.volumeName);
    await reconciler.run();
    expect(isThere()).toBe(true);
    await finish(world, await world.commands.delete(server.projectId, heir.id));
    await reconciler.run();
    expect(isThere()).toBe(false);
  });

  it('comes to a host that was added later, unless that refuses it, which the operator is told', async () => {
    const { image, action } = await importUpload(world);
    await finish(world, action);
    const { dataSource, hypervisor, findings, imports } = world.deps;
    const images = dataSource.getRepository(Image);
    await images.update({ id: image.id }, { devices: { ...OUR_DEVICES, firmware: 'uefi' } });
    const hosts = new HostsService(dataSource);
    const [first] = await hosts.all();
    const { hostUuid } = world.fleet.addHost('kvm-2', { firmwares: ['bios'] });
    const ref = world.fleet.hostRef('kvm-2', 0);
    const { id: _, ...like } = { ...first, ...ref, hostUuid } as NonNullable<typeof first>;
    const added = await hosts.save(dataSource.manager, like);
    const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
    const through = new Spreading(dataSource, hypervisor, hosts, findings, imports.store, log);
    const spreading = new ImageSpreading(dataSource, hypervisor, through, log);
    const isThere = () =>
      world.fleet.volumes('kvm-2').some(({ name }) => name === `import-${image.id}.qcow2`);

    await spreading.run();
    expect(isThere()).toBe(false);
    const refused = {
      kind: 'image_refused',
      subject: String(image.id),
      details: { code: 'firmware_missing' },
    };
    expect(await openFindings()).toMatchObject([refused]);
    const service = new ImagesService(dataSource);
    expect((await service.refusalsOf([image.id])).get(image.id)).toMatchObject([
      { code: 'firmware_missing' },
    ]);

    await images.update({ id: image.id }, { devices: OUR_DEVICES });
    await spreading.run();
    expect(isThere()).toBe(false);
    await dataSource.query("UPDATE image_refusals SET tried_at = now() - interval '1 hour'");
    await spreading.run();
    expect(isThere()).toBe(true);
    expect(await hypervisor.listImages(ref)).toHaveLength(1);
    const rows = await dataSource.query('SELECT FROM host_images WHERE image_id = $1', [image.id]);
    expect(rows).toHaveLength(2);
    expect(await openFindings()).toEqual([]);

    await new SnapshotsService(dataSource).delete(Number(image.projectId), image.id);
    await reconciler.run();
    expect(isThere()).toBe(false);
    await dataSource.query('DELETE FROM hosts WHERE id = $1', [added.id]);
  });
});
