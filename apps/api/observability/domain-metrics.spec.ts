import { Test } from '@nestjs/testing';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { QueueModule, SagaQueue } from '#libs/queue';
import { testDatabase } from '../../../test/support/test-database.ts';
import { registerDomainMetrics } from './domain-metrics.ts';

const database = testDatabase();

it('the other figures are told while Redis is away, and no depth of the queue', async () => {
  const imports = [QueueModule.forRoot({ url: 'redis://127.0.0.1:1' })];
  const app = await Test.createTestingModule({ imports }).compile();
  const registry = new Registry();
  registerDomainMetrics(registry, database.dataSource, app.get(SagaQueue));
  const figures = await registry.metrics();
  expect(figures).toContain('# TYPE servery_servers gauge');
  expect(figures).not.toContain('servery_queue_depth{');
  await app.close();
});
