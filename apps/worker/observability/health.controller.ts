import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RedisHealth } from '#libs/queue';

@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly redis: RedisHealth,
  ) {}

  @Get('live')
  live() {
    return { status: 'ok' };
  }

  /** Without Redis the worker still works, by its sweeper; without PostgreSQL it can do nothing. */
  @Get('ready')
  async ready() {
    const redis = await this.redis.check().then(
      () => 'ok',
      () => 'no answer',
    );
    try {
      await this.dataSource.query('SELECT 1');
    } catch {
      throw new ServiceUnavailableException({ status: 'unavailable', postgresql: 'no answer', redis });
    }
    return { status: 'ok', postgresql: 'ok', redis };
  }
}
