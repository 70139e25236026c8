import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { answerWithin } from '#libs/kernel';
import { RedisHealth } from '#libs/queue';

const CHECK_TIMEOUT_MILLISECONDS = 3000;

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
    const [postgresql, redis] = await Promise.all([
      answerOf('PostgreSQL', this.dataSource.query('SELECT 1')),
      answerOf('Redis', this.redis.check()),
    ]);
    if (postgresql === 'ok') return { status: 'ok', postgresql, redis };
    throw new ServiceUnavailableException({ status: 'unavailable', postgresql, redis });
  }
}

/** Whoever probes waits for seconds, and a database that hangs for longer. */
function answerOf(who: string, work: Promise<unknown>): Promise<'ok' | 'no answer'> {
  return answerWithin(CHECK_TIMEOUT_MILLISECONDS, who, work).then(
    () => 'ok' as const,
    () => 'no answer' as const,
  );
}
