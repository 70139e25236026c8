import assert from 'node:assert/strict';
import { createDataSource } from '#libs/database';
import { createTestDatabase } from '../../../test/support/postgres.ts';
import { withDeps } from '../define.ts';
import { SagaStore } from '../saga.store.ts';
import { ALL_TRACES, planTrip, planTripSaga, SampleWorld } from './sample.saga.ts';
import { anyDefinition, type SagaScenario, type SagaWorld } from './scenario.ts';

interface TripWorld extends SagaWorld {
  readonly outside: SampleWorld;
}

const planTripScenario: SagaScenario<TripWorld> = {
  definition: anyDefinition(planTripSaga),
  async createWorld() {
    const database = await createTestDatabase();
    const dataSource = await createDataSource(database.url, { poolSize: 1 }).initialize();
    await SampleWorld.createTables(dataSource);
    await dataSource.destroy();
    return { url: database.url };
  },
  async destroyWorld() {
    // The server of the tests goes away with all its databases.
  },
  async attach({ url = '' }) {
    const dataSource = await createDataSource(url).initialize();
    const outside = new SampleWorld(dataSource);
    const sagas = [withDeps(planTripSaga, { world: outside })];
    return { dataSource, sagas, outside, close: () => dataSource.destroy() };
  },
  async start({ dataSource }) {
    const tripId = crypto.randomUUID();
    const store = new SagaStore(dataSource);
    const started = await dataSource.transaction((manager) => store.start(manager, planTrip, { tripId }));
    return started.sagaId;
  },
  async assertDone(world, sagaId) {
    assert.deepEqual(await tracesOf(world, sagaId), ALL_TRACES);
  },
  async assertCleanSlate(world, sagaId) {
    assert.deepEqual(await tracesOf(world, sagaId), []);
  },
};

async function tracesOf(world: TripWorld, sagaId: number): Promise<string[]> {
  const saga = await new SagaStore(world.dataSource).get(sagaId);
  return await world.outside.traces(planTrip.params.parse(saga.params).tripId);
}

export const scenarios = [planTripScenario];
