import { expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { Rescue, rescueSeedName, rescueVolumeName } from '#libs/servers';
import { finish } from '#libs/workflows/harness';
import {
  disks,
  openFindings,
  plantVolume,
  reconciler,
  reconcilesAnewEachTime,
  server,
  world,
} from './reconciler.fixture.ts';

reconcilesAnewEachTime();

const enable = async () =>
  finish(world, (await world.rescues.enable(server.projectId, server.id, [])).action);
const reset = async () => finish(world, await world.commands.reset(server.projectId, server.id));
const newest = () =>
  world.dataSource
    .getRepository(Rescue)
    .findOneOrFail({ where: { serverId: server.id }, order: { createdAt: 'DESC' } });

it('leaves a rescue system alone while it waits, while it runs and while its server is off', async () => {
  const before = disks();
  await enable();
  const rescue = await newest();
  await reconciler.run();
  expect(disks()).toEqual([...before, rescueVolumeName(rescue), rescueSeedName(rescue)].sort());
  await reset();
  await reconciler.run();
  await finish(world, await world.commands.powerOff(server.projectId, server.id));
  await reconciler.run();
  expect(disks()).toEqual([...before, rescueVolumeName(rescue)].sort());
  expect(await openFindings()).toEqual([]);
});

it('removes what one that has ended has left behind, and tells of what is of none', async () => {
  await enable();
  await reset();
  await reset();
  const [ended, unknown] = [await newest(), { id: newId() }];
  plantVolume(rescueVolumeName(ended));
  plantVolume(rescueSeedName(unknown));
  await reconciler.run();
  expect(await openFindings()).toMatchObject(
    [
      { subject: rescueVolumeName(ended), details: { removed: true } },
      { subject: rescueSeedName(unknown), details: { removed: false } },
    ].toSorted((a, b) => a.subject.localeCompare(b.subject)),
  );
  expect(disks()).toContain(rescueSeedName(unknown));
  expect(disks()).not.toContain(rescueVolumeName(ended));
});
