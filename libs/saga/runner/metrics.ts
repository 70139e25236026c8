import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import type { SagaObserver } from '../observer.ts';

/** Counts tries by saga, step, direction and outcome, and asks the database for unfinished sagas at each scrape. */
export function sagaMetrics(registry: Registry, dataSource: DataSource): SagaObserver {
  const labels = ['saga', 'step', 'direction'] as const;
  const tries = new Counter({
    name: 'servery_saga_tries_total',
    help: 'Tries of saga steps, by how they ended',
    labelNames: [...labels, 'outcome'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'servery_saga_step_seconds',
    help: 'Duration of the tries of saga steps; of the whole wait, for waits',
    labelNames: [...labels],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600],
    registers: [registry],
  });
  registerUnfinished(registry, dataSource);
  return {
    afterProgress: ({ name, step, direction, outcome, durationMilliseconds }) => {
      tries.inc({ saga: name, step, direction, outcome });
      seconds.observe({ saga: name, step, direction }, durationMilliseconds / 1000);
    },
  };
}

function registerUnfinished(registry: Registry, dataSource: DataSource): void {
  new Gauge({
    name: 'servery_sagas_unfinished',
    help: 'Sagas that have not ended, by state',
    labelNames: ['saga', 'state'],
    registers: [registry],
    async collect() {
      const rows: { name: string; state: string; count: number }[] = await dataSource.query(
        'SELECT name, state, count(*) AS count FROM sagas WHERE finished_at IS NULL GROUP BY name, state',
      );
      this.reset();
      for (const { name, state, count } of rows) this.set({ saga: name, state }, count);
    },
  });
}
