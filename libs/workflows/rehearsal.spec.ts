import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { type Rehearsal, RehearsalsService } from '#libs/rehearsals';
import { type Fault, runToEnd } from '#libs/saga/harness';
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

  const cloneOf = ({ cloneServerId }: Rehearsal) =>
    world.dataSource.getRepository(Server).findOneByOrFail({ id: cloneServerId ?? 0 });

  async function expire(service: RehearsalsService, { id }: Rehearsal) {
    await world.dataSource.query('UPDATE rehearsals SET clone_expires_at = now() WHERE id = $1', [id]);
    expect(await service.removeExpired()).toBe(1);
    await settleAll(world);
  }

  it('leaves its clone for as long as its owner asked for', async () => {
    const { rehearsal } = await rehearse('true', 1);
    const clone = await cloneOf(rehearsal);
    expect([clone.deletedAt, clone.network]).toEqual([null, 'isolated']);
    const service = new RehearsalsService(world.dataSource, world.store);
    expect(await service.removeExpired()).toBe(0);
    await expire(service, rehearsal);
    expect((await cloneOf(rehearsal)).deletedAt).not.toBeNull();
    await assertSound(world);
  });

  it('leaves a clone that its owner protects to them, also when it is forgotten later', async () => {
    const { rehearsal } = await rehearse('true', 1);
    const service = new RehearsalsService(world.dataSource, world.store);
    const { id } = await cloneOf(rehearsal);
    await world.dataSource.getRepository(Server).update({ id }, { isDeleteProtected: true });
    await expire(service, rehearsal);
    await world.dataSource.getRepository(Server).update({ id }, { isDeleteProtected: false });
    await service.delete(server.projectId, rehearsal.id);
    await settleAll(world);
    expect((await cloneOf(rehearsal)).desired).toBe('running');
    await finish(world, await world.commands.delete(server.projectId, id));
    await assertSound(world);
  });

  it('that breaks off leaves the clone that its owner wants to look at, unless they give it up', async () => {
    const { projectId, id: serverId } = server;
    const breakOff = async (work: (rehearsalId: number) => Promise<unknown>, faults: Fault[]) => {
      const { rehearsal, action } = await world.rehearsals.rehearse({
        ...{ id: newId(), projectId, serverId, currency: 'eur', script: 'true', healthChecks: undefined },
        ...{ timeoutSeconds: 60, keepCloneHours: 1 },
      });
      await work(rehearsal.id);
      await runToEnd(world, 'rehearse-server', Number(action.sagaId), faults);
      await settleAll(world);
      const outcome = await outcomeOf(world, projectId, rehearsal.id);
      expect(outcome.rehearsal.state).toBe('failed');
      return { ...outcome.rehearsal, cloneServerId: rehearsal.cloneServerId };
    };
    const service = new RehearsalsService(world.dataSource, world.store);
    const lost = { step: 'script-ends', direction: 'do', moment: 'before', kind: 'permanent' } as const;
    const broken = await breakOff(async () => {}, [lost]);
    expect(broken.cloneExpiresAt?.getTime()).toBeGreaterThan(Date.now());
    expect((await cloneOf(broken)).desired).toBe('running');
    await expire(service, broken);
    const givenUp = await breakOff((id) => service.delete(projectId, id), []);
    expect((await cloneOf(givenUp)).deletedAt).not.toBeNull();
    await assertSound(world);
  });
});
