import { describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { type Action } from '#libs/servers';
import { volumeFileName } from '#libs/volumes';
import { assertSound, finish, standingVolume } from '#libs/workflows/harness';
import {
  DISKS,
  disks,
  HOST,
  openFindings,
  plantVolume,
  reconciler,
  reconcilesAnewEachTime,
  server,
  world,
} from './reconciler.fixture.ts';

reconcilesAnewEachTime();

describe('a volume', () => {
  const attachments = () => world.fleet.domain(HOST, server.domainUuid)?.volumes ?? [];
  const file = (id: number) => volumeFileName({ id, copyId: null });

  it('is left where it is while all is as the database says', async () => {
    const { id } = await standingVolume(world, server);
    await standingVolume(world);
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    expect(disks()).toContain(file(id));
    await assertSound(world);
  });

  it('is plugged in where it is missing, and out where it does not belong', async () => {
    const [own, free] = [await standingVolume(world, server), await standingVolume(world)];
    const domain = world.fleet.domain(HOST, server.domainUuid);
    if (!domain) throw new Error('the standing server has a domain');
    const strayed = { volumeName: file(free.id), serial: String(free.id), slot: 5 };
    world.fleet.putDomain(HOST, { ...domain, volumes: [strayed] });
    await reconciler.run();
    expect(
      (await openFindings()).map(({ kind, details }) => [kind, details.volumeId, details.mended]),
    ).toEqual(
      [
        ['volume_misplaced', own.id, 'attached'],
        ['volume_misplaced', free.id, 'detached'],
      ].sort((a, b) => file(Number(a[1])).localeCompare(file(Number(b[1])))),
    );
    expect(attachments()).toEqual([{ volumeName: file(own.id), serial: String(own.id), slot: 0 }]);
    await reconciler.run();
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });

  it('leaves copies of it to the workflow that makes them, and what that has left to nobody', async () => {
    const [free, own] = [await standingVolume(world), await standingVolume(world, server)];
    const copy = volumeFileName({ id: free.id, copyId: newId() });
    plantVolume(copy);
    await world.volumes.attach(free.projectId, free.id, server.id, false);
    await reconciler.run();
    expect(disks()).toContain(copy);
    await world.dataSource.query(`UPDATE actions SET status = 'error' WHERE status = 'running'`);
    await world.dataSource.query(
      `UPDATE sagas SET state = 'undone', finished_at = now() WHERE finished_at IS NULL`,
    );
    await reconciler.run();
    expect(await openFindings()).toMatchObject([
      { kind: 'orphan_volume', subject: copy, details: { removed: true } },
    ]);
    expect(disks()).not.toContain(copy);
    for (const { id } of [free, own]) expect(disks()).toContain(file(id));
  });

  it('is removed when it was deleted, reported when nobody knows it, and when it is gone', async () => {
    const [deleted, lost] = [await standingVolume(world), await standingVolume(world, server)];
    const left = world.fleet.volume(HOST, DISKS, file(deleted.id));
    await world.volumes.delete(deleted.projectId, deleted.id);
    const [saga] = await world.store.list({ subject: { type: 'volume', id: deleted.id }, limit: 1 });
    await finish(world, { sagaId: saga?.id } as Action);
    if (left) world.fleet.putVolume(HOST, left);
    const unknown = file(newId());
    plantVolume(unknown);
    world.fleet.removeVolume(HOST, DISKS, file(lost.id));
    await reconciler.run();
    const found = (await openFindings()).map(({ kind, subject, details }) => [
      kind,
      subject,
      details.removed,
    ]);
    expect(found).toContainEqual(['orphan_volume', file(deleted.id), true]);
    expect(found).toContainEqual(['orphan_volume', unknown, false]);
    expect(found).toContainEqual(['volume_missing', file(lost.id), undefined]);
    expect(found).toHaveLength(3);
    expect(disks()).not.toContain(file(deleted.id));
    expect(disks()).toContain(unknown);
  });
});
