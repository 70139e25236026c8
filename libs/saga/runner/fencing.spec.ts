import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { testDatabase } from '../../../test/support/test-database.ts';
import { deps, saga, sagaRequest, withDeps } from '../define.ts';
import { LeaseLost } from '../saga.errors.ts';
import { SagaStore } from '../saga.store.ts';
import { LeaseKeeper } from './lease.ts';
import { naturalPace, type Pace } from './pace.ts';
import { SagaRunner } from './saga.runner.ts';

const database = testDatabase({ poolSize: 24 });
const quick: Pace = { ...naturalPace, retry: () => 0.001, look: () => 0.001 };
const runners: SagaRunner[] = [];

afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()));
});

function runnerOf(saga: ReturnType<typeof withDeps>, leaseSeconds = 30): SagaRunner {
  const runner = new SagaRunner({
    dataSource: database.dataSource,
    sagas: [saga],
    log: pino({ level: 'silent' }),
    pace: quick,
    sweepSeconds: 0.02,
    concurrency: 4,
    leaseSeconds,
  });
  runners.push(runner);
  return runner;
}

async function untilEnded(sagaId: number) {
  const store = new SagaStore(database.dataSource);
  for (;;) {
    const found = await store.get(sagaId);
    if (found.finishedAt !== null) return found;
    await pause(5);
  }
}

describe('four runners with 64 sagas', () => {
  it('never run one saga in two hands, and each step that is recorded inside happens once', async () => {
    await database.dataSource.query('CREATE TABLE counted (saga bigint, step text)');
    const request = sagaRequest('counted', z.object({}));
    const busy = new Set<number>();
    const collisions: number[] = [];
    const definition = saga(request, deps<object>())
      .step('outside', {
        do: async ({ sagaId }) => {
          if (busy.has(sagaId)) collisions.push(sagaId);
          busy.add(sagaId);
          await pause(2);
          busy.delete(sagaId);
        },
        noUndo: 'nothing made',
      })
      .step('inside', {
        transact: async (manager, { sagaId }) => {
          await manager.query('INSERT INTO counted VALUES ($1, $2)', [sagaId, 'inside']);
        },
        noUndo: 'nothing made',
      })
      .build();
    const store = new SagaStore(database.dataSource);
    const started = await Promise.all(
      Array.from({ length: 64 }, () =>
        database.dataSource.transaction((manager) => store.start(manager, request, {})),
      ),
    );
    const all = Array.from({ length: 4 }, () => runnerOf(withDeps(definition, {})));
    await Promise.all(all.map((runner) => runner.start()));
    for (const { sagaId } of started) {
      await Promise.all(all.map((runner) => runner.handle(sagaId)));
    }
    for (const { sagaId } of started) expect((await untilEnded(sagaId)).state).toBe('done');
    expect(collisions).toEqual([]);
    const rows: unknown[] = await database.dataSource.query('SELECT DISTINCT saga FROM counted');
    const all64: unknown[] = await database.dataSource.query('SELECT saga FROM counted');
    expect([rows.length, all64.length]).toEqual([64, 64]);
  });
});

describe('a worker to which the database has gone silent', () => {
  it('learns that it may have lost, though no query fails', async () => {
    const request = sagaRequest('cut-off', z.object({}));
    const store = new SagaStore(database.dataSource);
    await database.dataSource.transaction((m) => store.start(m, request, {}));
    let isSilent = false;
    const query: DataSource['query'] = (...args) =>
      isSilent ? new Promise(() => {}) : database.dataSource.query(...args);
    const leases = new LeaseKeeper({ query } as DataSource, ['cut-off'], 'worker', 0.3);
    leases.start();
    const { lease } = (await leases.claim()) ?? {};
    isSilent = true;
    try {
      await vi.waitFor(() => expect(lease?.lost.signal.reason).toBeInstanceOf(LeaseLost));
    } finally {
      leases.stop();
      await database.dataSource.query(`DELETE FROM sagas WHERE name = 'cut-off'`);
    }
  });
});

describe('a worker that falls asleep and wakes after its lease was taken', () => {
  it('learns that it lost, and what it writes late changes nothing', async () => {
    const request = sagaRequest('sleepy', z.object({}));
    const runs: string[] = [];
    let wakeFirst = () => {};
    const firstSleeps = new Promise<void>((resolve) => {
      wakeFirst = resolve;
    });
    let confirmed: unknown;
    const sleepy = (name: string, during: () => Promise<void>) =>
      saga(request, deps<object>())
        .step('work', {
          do: async (ctx) => {
            runs.push(name);
            await during();
            confirmed = await ctx.confirmLease().catch((error: unknown) => error);
            return { by: name };
          },
          commit: async (_manager, _ctx, { by }) => {
            runs.push(`${by} commits`);
          },
          noUndo: 'nothing made',
        })
        .build();
    const store = new SagaStore(database.dataSource);
    const { sagaId } = await database.dataSource.transaction((m) => store.start(m, request, {}));
    const first = runnerOf(
      withDeps(
        sleepy('first', () => firstSleeps),
        {},
      ),
      3600,
    );
    const late = first.handle(sagaId);
    while (runs.length === 0) await pause(2);
    await database.dataSource.query(
      `UPDATE sagas SET lease_until = now() - interval '1 second' WHERE id = $1`,
      [sagaId],
    );
    await runnerOf(
      withDeps(
        sleepy('second', async () => {}),
        {},
      ),
    ).start();
    const done = await untilEnded(sagaId);
    wakeFirst();
    await late;
    expect(confirmed).toBeInstanceOf(LeaseLost);
    expect(runs).toEqual(['first', 'second', 'second commits']);
    expect(await store.get(sagaId)).toEqual(done);
    expect(done).toMatchObject({ state: 'done', outputs: { work: { by: 'second' } }, leaseToken: 2 });
    expect((await store.log(sagaId)).map(({ outcome }) => outcome)).toEqual(['interrupted', 'succeeded']);
  });

  it('is taken over when its lease has run out by itself, and keeps it while it shows signs of life', async () => {
    const request = sagaRequest('beating', z.object({}));
    const runs: string[] = [];
    const slow = saga(request, deps<object>())
      .step('work', {
        do: async ({ attempt }) => {
          runs.push(`try ${attempt}`);
          await pause(3000);
        },
        noUndo: 'nothing made',
      })
      .build();
    const store = new SagaStore(database.dataSource);
    const { sagaId } = await database.dataSource.transaction((m) => store.start(m, request, {}));
    await database.dataSource.query(
      `UPDATE sagas SET lease_owner = 'dead', lease_token = 7, tries = 1,
         lease_until = now() + interval '0.3 seconds' WHERE id = $1`,
      [sagaId],
    );
    for (const _ of [1, 2]) await runnerOf(withDeps(slow, {}), 2).start();
    expect((await untilEnded(sagaId)).leaseToken).toBe(8);
    expect(runs).toEqual(['try 2']);
  });
});
