import { Controller, Get, Header, Headers, Inject } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { SagaQueue } from '#libs/queue';
import { bearerIs } from '#libs/secrets';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { registerDomainMetrics } from './domain-metrics.ts';
import { HttpMetrics } from './http-metrics.ts';

@Controller('metrics')
export class MetricsController {
  private readonly registry = new Registry();

  constructor(
    dataSource: DataSource,
    queue: SagaQueue,
    http: HttpMetrics,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {
    collectDefaultMetrics({ register: this.registry });
    registerDomainMetrics(this.registry, dataSource, queue);
    http.register(this.registry);
  }

  /** For the operator's Prometheus alone: it tells how large the installation is. */
  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @Endpoint({
    summary: 'Figures for the Prometheus of the operator, who has its token',
    access: 'public',
    status: 200,
  })
  metrics(@Headers('authorization') authorization?: string): Promise<string> {
    const { SERVERY_METRICS_TOKEN: token } = this.environment;
    if (token === undefined) throw new ApiError('not_found', 'set SERVERY_METRICS_TOKEN to open this page');
    if (!bearerIs(authorization, token)) throw new ApiError('unauthorized', 'unable to authenticate');
    return this.registry.metrics();
  }
}
