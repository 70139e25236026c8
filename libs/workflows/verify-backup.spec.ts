import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Image } from '#libs/images';
import { newUuid } from '#libs/kernel';
import { HostsService, toHostRef } from '#libs/placement';
import type { WorldAddress } from '#libs/saga/harness';
import { runToEnd } from '#libs/saga/harness';
import { RestoreTest, restoreTestName, restoreVolumeName } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { createSharingWorld } from './harness/sharing-world.ts';
import { finish, order } from './harness/standing-server.ts';
import { placedServer } from './power-state.ts';
import { lookAtRestored } from './restore-checks.ts';
import { baseOf, domainSpec } from './server-context.ts';
import { backedUp, EVERY_HOUR, scenarios, testDue, tested } from './verify-backup.scenario.ts';

const module = new URL('./verify-backup.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('a backup that is tried out', () => {
  const host = 'kvm-1';
  let address: WorldAddress;
  let world: ServerWorld;
  let backup: Image;

  beforeAll(async () => {
    address = await createServerWorld();
    world = await attachToServerWorld(address);
  });

  afterAll(async () => {
    await world?.close();
    await destroyServerWorld(address);
  });

  beforeEach(async () => {
    backup = await backedUp(world);
  });

  const run = async () => runToEnd(world, 'verify-backup', Number(await testDue(world)), []);
  const refuseToStart = (times: number, code: 'host_misconfigured' | 'host_refused') => {
    for (let left = times; left > 0; left -= 1) {
      world.fleet.failNext(host, 'startDomain', { when: 'before', with: code });
    }
  };
  const told = () =>
    world.dataSource.query<{ subject: string }[]>(
      `SELECT subject FROM findings WHERE kind = 'backup_not_restorable' AND resolved_at IS NULL`,
    );
  const mails = () =>
    world.dataSource.query<{ recipient: string }[]>(
      `SELECT recipient FROM mails WHERE template = 'backup-not-restorable'`,
    );

  it('and has lost its disk has failed, which operator and owner are told once; a later success closes that', async () => {
    const disk = world.fleet.volumes(host).find(({ name }) => name === backup.volumeName);
    if (!disk) throw new Error('the backup has a disk');
    world.fleet.removeVolume(host, disk.pool, disk.name);
    for (const _twice of [1, 2]) {
      await world.dataSource.query('DELETE FROM restore_tests');
      expect(await run()).toMatchObject({ state: 'undone' });
    }
    expect(await tested(world)).toMatchObject({
      test: { state: 'failed' },
      image: { restoreFailure: expect.stringContaining('disk'), restoreChecks: [] },
    });
    expect(await told()).toEqual([{ subject: `image ${backup.id}` }]);
    expect(await mails()).toEqual([{ recipient: 'customer@example.test' }]);

    world.fleet.putVolume(host, disk);
    await world.dataSource.query('DELETE FROM restore_tests');
    expect(await run()).toMatchObject({ state: 'done' });
    expect(await tested(world)).toMatchObject({ image: { restoreFailure: null } });
    expect(await told()).toEqual([]);
    await assertSound(world);
  });

  it('by a host that breaks off is called off, and says nothing about the backup', async () => {
    refuseToStart(5, 'host_misconfigured');
    expect(await run()).toMatchObject({ state: 'undone' });
    expect(await tested(world)).toMatchObject({
      test: { state: 'called_off' },
      image: { restoreTestedAt: null },
    });
    expect(await told()).toEqual([]);
    expect(await testDue(world)).toBeUndefined();
    await assertSound(world);
  });

  it('that no machine starts from has failed, when its host has refused three times', async () => {
    refuseToStart(3, 'host_refused');
    expect(await run()).toMatchObject({ state: 'undone' });
    expect(await tested(world)).toMatchObject({
      test: { state: 'failed' },
      image: { restoreFailure: 'no machine could be started from it' },
    });
    await world.dataSource.query('UPDATE findings SET resolved_at = now()');
    await assertSound(world);
  });

  it('is the newest of its server', async () => {
    const [older = 0] = (
      await world.dataSource.query<{ id: number }[]>(
        `INSERT INTO images SELECT (jsonb_populate_record(i, jsonb_build_object('id', i.id - 1, 'name', 'older',
           'created_at', i.created_at - interval '1 day'))).* FROM images i WHERE id = $1 RETURNING id`,
        [backup.id],
      )
    ).map(({ id }) => id);
    await testDue(world);
    const tests = await world.dataSource.getRepository(RestoreTest).find();
    expect(tests.map(({ imageId }) => imageId)).toEqual([backup.id]);
    await world.dataSource.query('DELETE FROM restore_tests');
    await world.dataSource.query('DELETE FROM images WHERE id = $1', [older]);
  });

  it('and was called off lets other servers have their turn, on this day and the next', async () => {
    const { action } = await order(world);
    await finish(world, action);
    const [{ serverId = 0 } = {}] = await world.dataSource.query<{ serverId: number }[]>(
      `WITH other AS (SELECT id FROM servers WHERE id <> $1 AND deleted_at IS NULL)
       INSERT INTO images SELECT (jsonb_populate_record(i, jsonb_build_object('id', i.id - n, 'name', 'b' || n,
         'server_id', other.id, 'created_at', i.created_at + interval '1 hour' * (3 - n)))).*
       FROM images i, other, generate_series(1, 2) AS n WHERE i.id = $2 RETURNING server_id AS "serverId"`,
      [backup.serverId, backup.id],
    );
    const callOff = async () => {
      refuseToStart(5, 'host_misconfigured');
      await run();
      const tests = world.dataSource.getRepository(RestoreTest);
      const [last] = await tests.find({ order: { startedAt: 'DESC' }, take: 1 });
      return last?.serverId;
    };
    expect([await callOff(), await callOff(), await testDue(world)]).toEqual([
      serverId,
      backup.serverId,
      undefined,
    ]);
    await world.dataSource.query('DELETE FROM restore_tests WHERE server_id = $1', [backup.serverId]);
    await world.dataSource.query(`UPDATE restore_tests SET started_at = started_at - interval '1 day'`);
    expect(await callOff()).toBe(backup.serverId);
    await world.dataSource.query('DELETE FROM restore_tests');
    await world.dataSource.query('DELETE FROM images WHERE server_id = $1', [serverId]);
    await finish(world, await world.commands.delete(action.projectId, serverId));
    await assertSound(world);
  });

  it('waits while it would take the room of the next order', async () => {
    await world.dataSource.query('UPDATE hosts SET memory_mib = used_memory_mib + 1024 + 512');
    const sagaId = Number(await testDue(world));
    const running = runToEnd(world, 'verify-backup', sagaId, []);
    const reserved = () => world.dataSource.query<{ count: number }[]>('SELECT count(*) FROM reservations');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await reserved()).toEqual([{ count: 1 }]);
    await world.dataSource.query('UPDATE hosts SET memory_mib = 65536');
    expect(await running).toMatchObject({ state: 'done' });
  });

  it('is one at a time, within the hours and the budget of the day, and the one that has waited longest', async () => {
    const at = (hour: number) => new Date(Date.UTC(2027, 0, 1, hour));
    const night = { aDay: 1, fromHour: 22, untilHour: 6 };
    expect(await testDue(world, { ...EVERY_HOUR, aDay: 0 })).toBeUndefined();
    expect(await testDue(world, night, at(12))).toBeUndefined();
    const [first, second] = await Promise.all([testDue(world, night, at(23)), testDue(world, night, at(5))]);
    expect([first, second].filter((id) => id !== undefined)).toHaveLength(1);
    await runToEnd(world, 'verify-backup', Number(first ?? second), []);
    expect(await testDue(world, night, at(2))).toBeUndefined();
  });
});

it('a backup that is tried out on another host than its server is not blamed for what that does not do either', async () => {
  const address = await createSharingWorld();
  const world = await attachToServerWorld(address);
  const { dataSource, hypervisor } = world.deps;
  const image = await backedUp(world);
  const placed = await placedServer({ params: { serverId: image.serverId ?? 0 }, deps: world.deps });
  const elsewhere = toHostRef(await new HostsService(dataSource).getByName('kvm-2'));
  const diskVolume = restoreVolumeName(1);
  const spec = { ...domainSpec(placed), uuid: newUuid(), name: restoreTestName(1), diskVolume };
  const base = await baseOf(dataSource.manager, image);
  await hypervisor.createOverlay(elsewhere, { volumeName: diskVolume, base, sizeGib: placed.server.diskGib });
  await hypervisor.defineDomain(elsewhere, spec);
  await hypervisor.startDomain(elsewhere, spec.uuid);
  for (const host of ['kvm-1', 'kvm-2']) world.fleet.change(host, { guestFault: 'agent_silent' });
  const restored = { image, server: placed.server, serverHost: placed.host, spec };
  const longAgo = new Date(0).toISOString();
  await expect
    .poll(() => lookAtRestored(world.deps, elsewhere, restored, longAgo))
    .toEqual({ failure: null, checks: ['started', 'disk_read'] });
  await hypervisor.undefineDomain(elsewhere, spec.uuid);
  const gone = lookAtRestored(world.deps, elsewhere, restored, longAgo);
  await expect(gone).rejects.toMatchObject({ code: 'machine_gone' });
  await world.close();
  await destroyServerWorld(address);
});
