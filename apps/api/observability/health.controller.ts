import { Controller, Get, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { answerWithin } from '#libs/kernel';
import { RedisHealth } from '#libs/queue';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';

const CHECK_TIMEOUT_MILLISECONDS = 3000;
const health = z.object({ status: z.literal('ok') });

@Controller('health')
export class HealthController {
  private readonly log = new Logger(HealthController.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly redis: RedisHealth,
  ) {}

  @Get('live')
  @Endpoint({ summary: 'Whether the process runs', access: 'public', response: health })
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  @Endpoint({ summary: 'Whether PostgreSQL and Redis answer', access: 'public', response: health })
  async ready() {
    const failed = await Promise.all([
      this.check('postgresql', () => this.dataSource.query('SELECT 1')),
      this.check('redis', () => this.redis.check()),
    ]);
    const names = failed.filter((name) => name !== null);
    if (names.length > 0) throw new ApiError('unavailable', `no answer from ${names.join(' and ')}`);
    return { status: 'ok' };
  }

  private async check(name: string, work: () => Promise<unknown>): Promise<string | null> {
    try {
      await answerWithin(CHECK_TIMEOUT_MILLISECONDS, name, work());
      return null;
    } catch (error) {
      this.log.warn({ err: error }, `${name} is not ready`);
      return name;
    }
  }
}
