import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { RehearsalsService } from '#libs/rehearsals';
import { runToEnd } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';
import { outcomeOf, rehearsed, scenarios, settleAll, UPGRADE, webOf } from './rehearsal.scenario.ts';

for (const scenario of scenarios) {
  describeSaga(scenario, new URL('./rehearsal.scenario.ts', import.meta.url).href);
}

describe('an upgrade', () => {
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

  async function rehearse(script: string, keepCloneHours = 0) {
    const { projectId, id: serverId } = server;
    const { rehearsal, action } = await world.rehearsals.rehearse({
      ...{ id: newId(), projectId, serverId, currency: 'eur' as const, script, healthChecks: undefined },
      ...{ timeoutSeconds: 60, keepCloneHours },
    });
    await finish(world, action);
    await settleAll(world);
    return outcomeOf(world, projectId, rehearsal.id);
  }

  async function apply(rehearsalId: number, evenIfFailed = false) {
    const action = await world.rehearsals.apply(server.projectId, rehearsalId, { evenIfFailed });
    const { state, error } = await runToEnd(world, 'apply-rehearsal', Number(action.sagaId), []);
    await assertSound(world);
    server = await world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
    return { state, error, ...(await outcomeOf(world, server.projectId, rehearsalId)) };
  }

  const mails = () =>
    world.dataSource.query<{ data: object }[]>(
      `SELECT data FROM mails WHERE template = 'upgrade-not-applied' ORDER BY created_at DESC`,
    );

  it('that breaks the service fails on the clone, whose report says how', async () => {
    const { rehearsal, runs } = await rehearse('install web 2.0\nbreak\n');
    expect(rehearsal.state).toBe('failed');
    expect(runs.rehearsal).toMatchObject({
      errorCode: 'checks_failed',
      exitCode: 0,
      before: { failedUnits: [] },
      after: { failedUnits: ['web.service'], packages: { web: '2.0' } },
    });
    expect(webOf(world, server)).not.toBe('2.0');
    await assertSound(world);
  });

  it('whose script fails is told with its exit code, and its output', async () => {
    const { rehearsal, runs, text } = await rehearse('echo no space left\nexit 7\n');
    expect([rehearsal.state, text]).toEqual(['failed', 'no space left\n']);
    expect(runs.rehearsal).toMatchObject({ errorCode: 'script_failed', exitCode: 7, checks: [] });
  });

  it('that breaks in production alone is rolled back by itself, and its owner is told', async () => {
    const { rehearsal } = await rehearse('install web 2.0\nproduction break\n');
    expect(rehearsal.state).toBe('passed');
    const { state, error, ...applied } = await apply(rehearsal.id);
    expect([state, error?.code]).toEqual(['undone', 'checks_failed']);
    expect(applied.rehearsal.state).toBe('rolled_back');
    expect(applied.runs.production).toMatchObject({ state: 'rolled_back', answersAgain: true });
    expect([webOf(world, server), applied.hasScript]).toEqual(['1.0', false]);
    expect((await mails())[0]?.data).toMatchObject({ server: server.name, answersAgain: true });
    const kept = await world.dataSource.query<unknown[]>(
      `SELECT 1 FROM images WHERE server_id = $1 AND made_by = 'roll_back' AND status = 'available'`,
      [server.id],
    );
    expect(kept).toHaveLength(1);
  });

  it('changes nothing where no snapshot can be taken, and may be applied again', async () => {
    const rehearsalId = await rehearsed(world, server, UPGRADE);
    world.fleet.failNext('kvm-1', 'freezeDisk', { when: 'before', with: 'invalid_spec' });
    const failed = await apply(rehearsalId);
    expect([failed.state, failed.error?.code]).toEqual(['undone', 'snapshot_failed']);
    expect([failed.rehearsal.state, failed.runs.production?.state]).toEqual(['passed', 'failed']);
    expect((await mails())[0]?.data).toMatchObject({ answersAgain: null });
    const applied = await apply(rehearsalId);
    expect([applied.rehearsal.state, webOf(world, server)]).toEqual(['applied', '2.0']);
  });

  it('leaves its clone for as long as its owner asked for, or protects it', async () => {
    const { rehearsal } = await rehearse('true', 1);
    const servers = world.dataSource.getRepository(Server);
    const clone = () => servers.findOneByOrFail({ id: rehearsal.cloneServerId ?? 0 });
    expect([(await clone()).deletedAt, (await clone()).network]).toEqual([null, 'isolated']);
    const service = new RehearsalsService(world.dataSource, world.store);
    expect(await service.removeExpired()).toBe(0);
    const expire = async (isDeleteProtected: boolean) => {
      await servers.update({ id: rehearsal.cloneServerId ?? 0 }, { isDeleteProtected });
      await world.dataSource.query('UPDATE rehearsals SET clone_expires_at = now() WHERE id = $1', [
        rehearsal.id,
      ]);
      expect(await service.removeExpired()).toBe(1);
      await settleAll(world);
    };
    await expire(true);
    expect((await clone()).deletedAt).toBeNull();
    await expire(false);
    expect((await clone()).deletedAt).not.toBeNull();
    await assertSound(world);
  });
});
