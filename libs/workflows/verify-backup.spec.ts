import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Image } from '#libs/images';
import type { WorldAddress } from '#libs/saga/harness';
import { runToEnd } from '#libs/saga/harness';
import { RestoreTest } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
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
