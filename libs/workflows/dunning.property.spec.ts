import fc from 'fast-check';
import { IsNull } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SuspensionReason, standingSuspensions } from '#libs/accounts';
import { arrearsOf, DUNNING_STEPS, dunningSettings, hasReached, notePaid, stepDueOn } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { advanceDunning } from '#libs/dunning';
import { DomainError } from '#libs/kernel';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { Server, suspensionOf } from '#libs/servers';
import {
  assertServersSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  lift,
  type ServerWorld,
  standingServer,
  standingVolume,
  suspend,
  suspensionsOf,
  volumeSuspensionsOf,
} from './harness/index.ts';
import { failPayment, settleInvoices } from './harness/unpaid-invoices.ts';

const DAY_MILLISECONDS = 86_400_000;
const REFUSALS = ['server_suspended', 'server_locked', 'server_not_found'];
let address: WorldAddress;
let world: ServerWorld;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});

afterAll(async () => {
  await world?.close();
  await destroyServerWorld(address);
});

type Act =
  | { readonly act: 'fail'; readonly isHard: boolean }
  | { readonly act: 'pay' | 'settle' | 'advance' | 'work' }
  | { readonly act: 'wait'; readonly days: number }
  | { readonly act: 'suspend' | 'lift'; readonly reason: SuspensionReason }
  | { readonly act: 'power'; readonly to: 'running' | 'off' }
  | { readonly act: 'fault'; readonly method: (typeof methods)[number]; readonly when: 'before' | 'after' };

const methods = ['setNetwork', 'shutdownDomain', 'destroyDomain', 'startDomain', 'domainState'] as const;
const reason = fc.constantFrom<SuspensionReason>('abuse', 'operator');
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('fail' as const), isHard: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('pay' as const, 'settle' as const) }) },
  { weight: 8, arbitrary: fc.record({ act: fc.constant('advance' as const) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('work' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ act: fc.constant('wait' as const), days: fc.constantFrom(0.1, 1, 3, 7, 14) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('suspend' as const, 'lift' as const), reason }) },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('power' as const),
      to: fc.constantFrom('running' as const, 'off' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('fault' as const),
      method: fc.constantFrom(...methods),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
);

/** One story: a server, a clock, and what its owner wants of it. */
class Story {
  private nowMs = Date.parse('2030-01-01T00:00:00Z');
  private working: Promise<unknown> | undefined;
  readonly server: Server;
  wanted: 'running' | 'off';

  constructor(server: Server) {
    this.server = server;
    this.wanted = server.observed === 'off' ? 'off' : 'running';
  }

  get now(): Date {
    return new Date(this.nowMs);
  }

  async do(act: Act): Promise<void> {
    const { dataSource, fleet } = world;
    const { accountId } = this.server;
    switch (act.act) {
      case 'fail':
        return runInTransaction(dataSource, (manager) =>
          failPayment(manager, accountId, { at: this.now, isHard: act.isHard }),
        );
      case 'settle':
        return settleInvoices(dataSource.manager, accountId, this.now);
      case 'pay':
        return this.pay();
      case 'advance':
        await this.advance();
        return;
      case 'work':
        this.working ??= workOff();
        return;
      case 'wait':
        this.nowMs += act.days * DAY_MILLISECONDS;
        return;
      case 'suspend':
        return suspend(world, this.server, act.reason);
      case 'lift':
        return lift(world, this.server, act.reason);
      case 'power':
        return this.power(act.to);
      case 'fault':
        fleet.failNext('kvm-1', act.method, { when: act.when, with: 'host_unreachable' });
    }
  }

  advance() {
    const suspensions = suspensionsOf(world);
    const deps = {
      dataSource: world.dataSource,
      suspensions,
      volumes: volumeSuspensionsOf(world),
      collectAgain: async () => {},
      lookAgain: async () => {},
    };
    return advanceDunning(deps, this.now);
  }

  /** Until nothing is asked for and nothing is under way. */
  async comeToRest(): Promise<void> {
    await this.working;
    this.working = undefined;
    for (;;) {
      const { servers, volumes, steps } = await this.advance();
      const worked = await workOff();
      if (servers + volumes + steps.length + worked === 0) return;
    }
  }

  async pay(): Promise<void> {
    const { accountId } = this.server;
    await runInTransaction(world.dataSource, async (manager) => {
      await settleInvoices(manager, accountId, this.now);
      await notePaid(manager, { accountId, at: this.now });
    });
  }

  /** A command is refused for as long as any reason stands, and else done. */
  private async power(to: 'running' | 'off'): Promise<void> {
    const { projectId, id, accountId } = this.server;
    const { commands, dataSource } = world;
    const standing = await standingSuspensions(dataSource.manager, accountId);
    const asked = to === 'running' ? commands.powerOn(projectId, id) : commands.powerOff(projectId, id);
    const refused = await asked.then(() => undefined).catch((error: unknown) => error);
    if (!refused) {
      expect(standing).toEqual([]);
      this.wanted = to;
      return;
    }
    expect(refused).toBeInstanceOf(DomainError);
    expect(REFUSALS).toContain((refused as DomainError).code);
  }
}

async function workOff(): Promise<number> {
  for (let worked = 0; ; ) {
    const due = await world.dataSource.query<{ id: number; name: string }[]>(
      'SELECT id, name FROM sagas WHERE finished_at IS NULL ORDER BY seq',
    );
    if (due.length === 0) return worked;
    for (const { id, name } of due) await runToEnd(world, name, id, []);
    worked += due.length;
  }
}

/** The one that the story before has left, as it is; or a new one, which has a volume. */
async function anyServer(): Promise<Server> {
  const left = await world.dataSource.getRepository(Server).findOneBy({ deletedAt: IsNull() });
  if (left) return left;
  const server = await standingServer(world, 'running');
  await standingVolume(world, server);
  return server;
}

const reload = ({ id }: Server) => world.dataSource.getRepository(Server).findOneByOrFail({ id });

async function expectAsReasonsSay(story: Story): Promise<void> {
  const { manager } = world.dataSource;
  const server = await reload(story.server);
  const arrears = await arrearsOf(manager, server.accountId);
  const step = arrears?.step ?? null;
  const reasons = await standingSuspensions(manager, server.accountId);
  const domain = world.fleet.domain('kvm-1', server.domainUuid);
  expect(reasons.some((one) => one.reason === 'billing')).toBe(hasReached(step, 'suspension'));
  if (server.deletedAt) return;
  expect(hasReached(step, 'purge')).toBe(false);
  const suspension = await suspensionOf(manager, server.id);
  expect(server.desired).toBe(story.wanted);
  if (reasons.length === 0) {
    expect(suspension).toBeUndefined();
    expect([server.observed, domain?.state, domain?.network]).toEqual([story.wanted, story.wanted, 'open']);
    expect(server.access).toHaveLength(2);
  } else {
    expect([server.observed, domain?.state, domain?.network]).toEqual(['off', 'off', 'closed']);
    expect(suspension?.retiredAt instanceof Date).toBe(step === 'soft_deletion');
  }
}

/** Each step came in its order, not before its day, and never a moment after the one that announced it. */
async function expectLadderKept(): Promise<void> {
  const { manager } = world.dataSource;
  const settings = await dunningSettings(manager);
  const taken = await manager.query<
    { id: number; since: Date; closedAt: Date | null; at: Date; step: never }[]
  >(
    `SELECT a.id, a.since, a.closed_at AS "closedAt", s.taken_at AS at, s.step
     FROM arrears a JOIN arrears_steps s ON s.arrears_id = a.id ORDER BY a.id, s.taken_at`,
  );
  for (const steps of Map.groupBy(taken, ({ id }) => id).values()) {
    expect(steps.map(({ step }) => step)).toEqual(DUNNING_STEPS.slice(0, steps.length));
    for (const [index, { since, at, step, closedAt }] of steps.entries()) {
      expect(at.getTime()).toBeGreaterThanOrEqual(stepDueOn(settings, since, step).getTime());
      if (closedAt) expect(at.getTime()).toBeLessThanOrEqual(closedAt.getTime());
      const before = steps[index - 1];
      if (before) expect(at.getTime() - before.at.getTime()).toBeGreaterThanOrEqual(DAY_MILLISECONDS / 2);
    }
  }
  const [{ mails }] = await manager.query<[{ mails: number }]>(
    `SELECT count(*) AS mails FROM mails WHERE cause LIKE 'arrears %'`,
  );
  expect(mails).toBe(taken.length);
}

it('ends as the reasons say that stand, whatever fails, is paid, comes due or is ordered in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 24 }), async (acts) => {
      const story = new Story(await anyServer());
      for (const one of acts) await story.do(one);
      await story.comeToRest();
      await expectAsReasonsSay(story);
      await assertServersSound(world);
      await expectLadderKept();
      for (const one of ['abuse', 'operator'] as const) await lift(world, story.server, one);
      await story.pay();
      await story.comeToRest();
      await expectAsReasonsSay(story);
      await assertServersSound(world);
      expect(await standingSuspensions(world.dataSource.manager, story.server.accountId)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
