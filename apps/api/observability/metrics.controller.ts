import { Controller, Get, Header } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { SagaQueue } from '#libs/queue';
import { Endpoint } from '../http/endpoint.ts';
import { registerDomainMetrics } from './domain-metrics.ts';
import { HttpMetrics } from './http-metrics.ts';

@Controller('metrics')
export class MetricsController {
  private readonly registry = new Registry();

  constructor(dataSource: DataSource, queue: SagaQueue, http: HttpMetrics) {
    collectDefaultMetrics({ register: this.registry });
    registerDomainMetrics(this.registry, dataSource, queue);
    http.register(this.registry);
  }

  /** Keep it from strangers at the reverse proxy: it tells how large the installation is. */
  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @Endpoint({ summary: 'Figures for Prometheus', access: 'public', status: 200 })
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}
