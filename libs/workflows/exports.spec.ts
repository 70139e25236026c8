import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Export } from '#libs/exports';
import { sleep } from '#libs/kernel';
import { runToEnd } from '#libs/saga/harness';
import { type Action, FrozenDisk, type Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { exportFiles, exportOfSaga, scenarios } from './export.scenario.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';
import { freezeScenario } from './server.scenario.ts';

const run = promisify(execFile);

describeSaga(freezeScenario, new URL('./server.scenario.ts', import.meta.url).href);
for (const scenario of scenarios) {
  describeSaga(scenario, new URL('./export.scenario.ts', import.meta.url).href);
}

describe('an export of a server', () => {
  let address: Awaited<ReturnType<typeof createServerWorld>>;
  let world: ServerWorld;
  let server: Server;

  beforeAll(async () => {
    address = await createServerWorld();
    world = await attachToServerWorld(address);
    server = await standingServer(world, 'running');
  });

  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });

  const ask = (format: Export['format'] = 'qcow2') =>
    world.exports.ofServer(server.projectId, server.id, format);
  const fails = async ({ sagaId }: Action) => {
    const { state } = await runToEnd(world, 'export-disk', Number(sagaId), []);
    expect(state).toBe('undone');
    return exportOfSaga(world, Number(sagaId));
  };

  it('is one file that stands on no other, and the server goes on', async () => {
    const { action, export: made } = await ask();
    await expect(world.commands.reboot(server.projectId, server.id)).rejects.toMatchObject({
      code: 'server_locked',
    });
    await finish(world, action);
    await assertSound(world);
    const found = await exportOfSaga(world, Number(action.sagaId));
    expect(found).toMatchObject({ id: made.id, state: 'available', fileName: `${server.name}.qcow2` });
    const stored = await world.deps.exports.store.find(made.id);
    expect(stored?.manifest.server).toMatchObject({
      name: server.name,
      frozenHow: 'consistent',
      network: { ipv4: server.ipv4 },
      image: { name: 'web', licence: 'various' },
    });
    const info = await run('qemu-img', ['info', '-f', 'qcow2', '--output', 'json', stored?.path ?? '']);
    const disk = JSON.parse(info.stdout);
    expect([disk['virtual-size'], 'backing-filename' in disk]).toEqual([
      stored?.manifest.disk.virtualSizeBytes,
      false,
    ]);
    const [{ progress }] = await world.dataSource.query<[{ progress: number }]>(
      'SELECT progress FROM actions WHERE id = $1',
      [action.id],
    );
    expect(progress).toBe(100);
  });

  it('can be made of a snapshot, whose server was made of one', async () => {
    const wanted = { description: null, labels: {} };
    const made = await world.commands.createImage(server.projectId, server.id, wanted);
    await finish(world, made.action);
    const { action } = await world.exports.ofImage(server.projectId, made.imageId, 'ova');
    await finish(world, action);
    const { id, fileName, imageId } = await exportOfSaga(world, Number(action.sagaId));
    expect([fileName, imageId]).toEqual([`${server.name}.ova`, made.imageId]);
    expect((await world.deps.exports.store.find(id))?.manifest.server.image.sha256).toBeUndefined();
  });

  it('waits for its turn while four others are made', async () => {
    const { action, export: made } = await ask();
    const others = [1, 2, 3, 4];
    for (const id of others) {
      await world.dataSource.query(
        `INSERT INTO exports (id, account_id, project_id, server_id, source_name, format, begun_at)
         SELECT $1, account_id, project_id, server_id, 'x', 'raw', now() FROM exports WHERE id = $2`,
        [id, made.id],
      );
      await world.dataSource.query(
        `INSERT INTO sagas (id, name, params, subject_type, subject_id, wake_at)
         SELECT $1, name, '{}', 'export', $1, now() + interval '1 hour' FROM sagas WHERE id = $2`,
        [id, action.sagaId],
      );
    }
    const ending = finish(world, action);
    while ((await world.store.get(Number(action.sagaId))).step !== 'turn') await sleep(5);
    await sleep(50);
    expect((await exportOfSaga(world, Number(action.sagaId))).begunAt).toBeNull();
    await world.dataSource.query('DELETE FROM exports WHERE id = ANY($1)', [others]);
    await ending;
    await world.dataSource.query('DELETE FROM sagas WHERE id = ANY($1)', [others]);
    expect((await exportOfSaga(world, Number(action.sagaId))).begunAt).not.toBeNull();
  });

  it('fails for good where there is no room, on the host or here, and leaves nothing', async () => {
    const before = await exportFiles(world);
    for (const method of ['flattenVolume', 'downloadVolume'] as const) {
      world.fleet.failNext('kvm-1', method, { when: 'before', with: 'pool_full' });
      const { action } = await ask();
      expect(await fails(action)).toMatchObject({ state: 'failed', errorCode: 'export_no_space' });
      await assertSound(world);
    }
    expect(await exportFiles(world)).toEqual(before);
  });

  it('goes on when its server is deleted, once the disk is frozen', async () => {
    const { action, export: made } = await ask();
    const [freezing] = await world.store.list({ subject: { type: 'server', id: server.id } });
    await world.dataSource.query(`UPDATE sagas SET wake_at = now() + interval '1 hour' WHERE id = $1`, [
      action.sagaId,
    ]);
    await runToEnd(world, 'freeze-disk', Number(freezing?.id), []);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await world.store.wake(world.dataSource.manager, Number(action.sagaId));
    await finish(world, action);
    expect(await world.deps.exports.store.find(made.id)).toBeDefined();
    const frozen = await world.dataSource.getRepository(FrozenDisk).countBy({ serverId: server.id });
    expect(frozen).toBeGreaterThan(0);
  });

  it('fails when its server is deleted before', async () => {
    server = await standingServer(world, 'running');
    const { action } = await ask();
    await world.commands.delete(server.projectId, server.id);
    expect(await fails(action)).toMatchObject({ state: 'failed', errorCode: 'undo_requested' });
  });
});
