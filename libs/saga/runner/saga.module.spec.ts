import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DatabaseModule } from '#libs/database';
import { QueueModule, SagaQueue } from '#libs/queue';
import { testRedisUrl } from '../../../test/support/redis.ts';
import { testDatabase } from '../../../test/support/test-database.ts';
import { deps, saga, sagaRequest, withDeps } from '../define.ts';
import { ALL_TRACES, planTrip, planTripSaga, SampleWorld } from '../harness/sample.saga.ts';
import { SagaStore } from '../saga.store.ts';
import { sagaMetrics } from './metrics.ts';
import { SagaModule } from './saga.module.ts';

const database = testDatabase();

@Injectable()
class Travel {
  constructor(readonly dataSource: DataSource) {}
}

@Module({ providers: [Travel], exports: [Travel] })
class TravelModule {}

beforeAll(() => SampleWorld.createTables(database.dataSource));

function worker(registry: Registry) {
  const imports = [
    DatabaseModule.forRoot({ url: database.url }),
    QueueModule.forRoot({ url: testRedisUrl() }),
    SagaModule.forRoot({
      imports: [TravelModule],
      inject: [Travel],
      useFactory: (travel: Travel) => ({
        sagas: [withDeps(planTripSaga, { world: new SampleWorld(travel.dataSource) })],
        observers: [sagaMetrics(registry, travel.dataSource)],
        log: pino({ level: 'silent' }),
        sweepSeconds: 3600,
      }),
    }),
  ];
  return Test.createTestingModule({ imports }).compile();
}

describe('SagaModule', () => {
  it('runs a saga when its alarm rings, counts it, and leaves nothing open', async () => {
    const registry = new Registry();
    const app = await worker(registry);
    await app.init();
    const store = app.get(SagaStore, { strict: false });
    const wakeUp = await app
      .get(DataSource)
      .transaction((manager) => store.start(manager, planTrip, { tripId: 'module' }));
    await app.get(SagaQueue).poke(wakeUp);
    while ((await store.get(wakeUp.sagaId)).finishedAt === null) await pause(5);
    expect(await new SampleWorld(database.dataSource).traces('module')).toEqual(ALL_TRACES);
    await app.close();
    const metrics = await new Promise<string>((resolve) =>
      resolve(registry.getSingleMetricAsString('servery_saga_tries_total')),
    );
    expect(metrics).toContain('{saga="plan-trip",step="ticket",direction="do",outcome="succeeded"} 1');
  });

  it('does not boot when a saga is unfinished that it cannot run', async () => {
    const request = sagaRequest('from-another-release', z.object({}));
    const other = saga(request, deps<object>())
      .step('a', { do: async () => 1, noUndo: 'nothing made' })
      .build();
    const store = new SagaStore(database.dataSource);
    const { sagaId } = await database.dataSource.transaction((manager) => store.start(manager, other, {}));
    const app = await worker(new Registry());
    await expect(app.init()).rejects.toThrow('no definition for from-another-release (1 unfinished)');
    await app.close();
    await database.dataSource.query('DELETE FROM sagas WHERE id = $1', [sagaId]);
  });
});
