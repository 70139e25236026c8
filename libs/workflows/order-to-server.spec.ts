import { afterEach, describe, expect, it } from 'vitest';
import { creditBalanceMinor } from '#libs/billing';
import { Image } from '#libs/images';
import { Order } from '#libs/orders';
import { confirmWithBank } from '#libs/payments/harness';
import type { BoundSaga, SagaRecord } from '#libs/saga';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import { assertSound, ledgerOf } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, order } from './harness/standing-server.ts';
import { provisionServer } from './provision-server.saga.ts';
import { loadPlaced } from './server-context.ts';

const HOST = 'kvm-1';
const ASKS_THE_BANK = '4000002760003184';
const DECLINED_WHEN_CHARGED = '4000000000000341';

let address: WorldAddress | undefined;
let world: ServerWorld;

async function openWorld(card?: string): Promise<void> {
  address = await createServerWorld(card);
  world = await attachToServerWorld(address);
}

afterEach(async () => {
  await world?.close();
  if (address) await destroyServerWorld(address);
  address = undefined;
});

function provision(sagaId: number): Promise<SagaRecord> {
  return runToEnd(world, 'provision-server', sagaId, []);
}

async function reaches(sagaId: number, step: string): Promise<void> {
  await expect.poll(async () => (await world.store.get(sagaId)).step, { timeout: 30_000 }).toBe(step);
}

async function letDeadlinePass(sagaId: number): Promise<void> {
  await world.dataSource.query(
    `UPDATE sagas SET step_started_at = now() - interval '2 hours' WHERE id = $1`,
    [sagaId],
  );
}

function orderOf(id: number): Promise<Order> {
  return world.dataSource.getRepository(Order).findOneByOrFail({ id });
}

describe('the payment of an order', () => {
  it('goes on when the bank has said yes, though no webhook came', async () => {
    await openWorld(ASKS_THE_BANK);
    const { order: placed } = await order(world);
    const running = provision(placed.sagaId);
    await reaches(placed.sagaId, 'payment-confirmed');
    const hold = await world.deps.payments.holdOf(placed.id);
    expect(hold?.status).toBe('requires_action');
    await confirmWithBank(hold?.actionUrl ?? '');
    expect(await running).toMatchObject({ state: 'done' });
    await assertSound(world);
  });

  it('leaves no server and no charge when the bank says no, or is not answered in time', async () => {
    await openWorld(ASKS_THE_BANK);
    for (const answer of ['fail', undefined] as const) {
      const { order: placed } = await order(world);
      const running = provision(placed.sagaId);
      await reaches(placed.sagaId, 'payment-confirmed');
      const hold = await world.deps.payments.holdOf(placed.id);
      if (answer) await confirmWithBank(hold?.actionUrl ?? '', answer);
      else await letDeadlinePass(placed.sagaId);
      expect(await running).toMatchObject({ state: 'undone' });
      expect(await orderOf(placed.id)).toMatchObject({ status: 'failed' });
      await assertSound(world);
    }
    expect(await ledgerOf(world)).toMatchObject({ capturedMinor: 0, heldMinor: 0 });
  });

  it('is declined before anything is made on a host', async () => {
    await openWorld(DECLINED_WHEN_CHARGED);
    const { order: placed } = await order(world);
    expect(await provision(placed.sagaId)).toMatchObject({ state: 'undone', step: 'place' });
    expect(await orderOf(placed.id)).toMatchObject({ status: 'failed', failureCode: 'card_declined' });
    await assertSound(world);
  });
});

describe('a guest that is not what it should be', () => {
  it('is taken back without a charge when it answers with a strange host key', async () => {
    await openWorld();
    world.fleet.change(HOST, { guestFault: 'wrong_host_key' });
    const { order: placed } = await order(world);
    const running = provision(placed.sagaId);
    await reaches(placed.sagaId, 'ssh-verified');
    await letDeadlinePass(placed.sagaId);
    expect(await running).toMatchObject({ state: 'undone', error: { code: 'deadline_exceeded' } });
    await assertSound(world);
  });

  it('is not waited for when it has died', async () => {
    await openWorld();
    world.fleet.change(HOST, { guestFault: 'agent_silent' });
    const { order: placed, server } = await order(world);
    const running = provision(placed.sagaId);
    await reaches(placed.sagaId, 'agent-answers');
    await world.deps.hypervisor.destroyDomain(world.fleet.hostRef(HOST, 0), server.domainUuid);
    expect(await running).toMatchObject({ state: 'undone', error: { code: 'domain_died' } });
    await assertSound(world);
  });

  it('outlives a cut of its power as soon as it is handed over, and after a rebuild', async () => {
    await openWorld();
    const { action, server } = await order(world);
    await finish(world, action);
    const answersAfterCut = async () => {
      const { hypervisor, reach } = world.deps;
      const { host, address } = await loadPlaced(world.dataSource.manager, server.id);
      await hypervisor.destroyDomain(host, server.domainUuid);
      await hypervisor.startDomain(host, server.domainUuid);
      return reach.tcpOpen(host, address.ip, 22);
    };
    expect(await answersAfterCut()).toBe(true);
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
    await finish(world, (await world.commands.rebuild(server.projectId, server.id, image, 'reveal')).action);
    expect(await answersAfterCut()).toBe(true);
  });

  it('leaves no empty seed behind when it did not let go of it and is rebuilt', async () => {
    await openWorld();
    world.fleet.change(HOST, { guestFault: 'seed_held' });
    const { action, server } = await order(world);
    await finish(world, action);
    world.fleet.change(HOST, { guestFault: null });
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
    const rebuilt = await world.commands.rebuild(server.projectId, server.id, image, 'reveal');
    await finish(world, rebuilt.action);
    await assertSound(world);
  });
});

it('waits for capacity without asking for money, tells the operator, and goes on when there is room', async () => {
  await openWorld();
  const { order: placed, server } = await order(world);
  const setState = (state: string) => world.dataSource.query('UPDATE hosts SET state = $1', [state]);
  await setState('unreachable');
  const running = provision(placed.sagaId);
  const servers = world.dataSource.getRepository(Server);
  await expect
    .poll(async () => (await servers.findOneByOrFail({ id: server.id })).reason, { timeout: 30_000 })
    .toBe('waiting for capacity');
  const findings = await world.dataSource.query('SELECT kind FROM findings WHERE resolved_at IS NULL');
  expect(findings).toEqual([{ kind: 'out_of_capacity' }]);
  expect((await ledgerOf(world)).intents).toEqual([]);
  await setState('active');
  expect(await running).toMatchObject({ state: 'done' });
  await assertSound(world);
});

describe('that there is no room', () => {
  const openFindings = () =>
    world.dataSource.query<{ kind: string; subject: string }[]>(
      'SELECT kind, subject FROM findings WHERE resolved_at IS NULL',
    );

  it('is no finding any more once a server of the refused size has its place', async () => {
    await openWorld();
    await world.dataSource.query(`UPDATE hosts SET state = 'unreachable'`);
    await expect(order(world)).rejects.toMatchObject({ code: 'resource_unavailable' });
    expect(await openFindings()).toEqual([{ kind: 'out_of_capacity', subject: 's1 in lab' }]);
    await world.dataSource.query(`UPDATE hosts SET state = 'active'`);
    const { action } = await order(world);
    await finish(world, action);
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });

  it('is no finding any more once the server that waited is given up', async () => {
    await openWorld();
    const { order: placed } = await order(world);
    await world.dataSource.query(`UPDATE hosts SET state = 'unreachable'`);
    const running = provision(placed.sagaId);
    await expect.poll(async () => (await openFindings()).length, { timeout: 30_000 }).toBe(1);
    await letDeadlinePass(placed.sagaId);
    expect(await running).toMatchObject({ state: 'undone', error: { code: 'deadline_exceeded' } });
    expect(await openFindings()).toEqual([]);
    await assertSound(world);
  });
});

describe('a server that is deleted while it is being made', () => {
  const steps = provisionServer.steps.map((step, index) => ({ ...step, index }));
  for (const { name, index } of steps.filter((step) => step.do)) {
    const isTooLate = index >= provisionServer.pointOfNoReturn;
    it(`is ${isTooLate ? 'finished, deleted, paid back and not billed' : 'taken back'} at ${name}`, async () => {
      await openWorld();
      const { order: placed, server } = await order(world);
      const remove = () => world.commands.delete(server.projectId, server.id);
      const deletion: { action?: ReturnType<typeof remove> } = {};
      const impatient = world.sagas.map((saga) =>
        interrupted(saga, name, () => (deletion.action ??= remove())),
      );
      const ended = await runToEnd({ ...world, sagas: impatient }, 'provision-server', placed.sagaId, []);
      expect(ended.state).toBe(isTooLate ? 'done' : 'undone');
      if (deletion.action) await finish(world, await deletion.action);
      expect(await orderOf(placed.id)).toMatchObject({ status: 'cancelled' });
      expect(await world.dataSource.query('SELECT 1 FROM usage_spans')).toEqual([]);
      expect(await creditBalanceMinor(world.dataSource.manager, placed.accountId, placed.currency)).toBe(0);
      await assertSound(world);
    });
  }
});

/** Provisioning with something that happens in the middle of the effect of one step. */
function interrupted(saga: BoundSaga, name: string, event: () => Promise<unknown>): BoundSaga {
  if (saga.definition.name !== 'provision-server') return saga;
  const steps = saga.definition.steps.map((step) => {
    const { do: act } = step;
    if (step.name !== name || !act) return step;
    const meanwhile: typeof act = async (ctx) => {
      const output = await act(ctx);
      await event();
      return output;
    };
    return { ...step, do: meanwhile };
  });
  return { ...saga, definition: { ...saga.definition, steps } };
}
