import {
  Controller,
  Get,
  Header,
  Headers,
  Inject,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { Registry } from 'prom-client';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { bearerIs } from '#libs/secrets';
import { REGISTRY } from './registry.ts';

@Controller('metrics')
export class MetricsController {
  constructor(
    @Inject(REGISTRY) private readonly registry: Registry,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(@Headers('authorization') authorization?: string): Promise<string> {
    const { SERVERY_METRICS_TOKEN: token } = this.environment;
    if (token === undefined) throw new NotFoundException('set SERVERY_METRICS_TOKEN to open this page');
    if (!bearerIs(authorization, token)) throw new UnauthorizedException();
    return this.registry.metrics();
  }
}
