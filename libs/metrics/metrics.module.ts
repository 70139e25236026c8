import { Module } from '@nestjs/common';
import { MetricsService } from './metrics.service.ts';

@Module({ providers: [MetricsService], exports: [MetricsService] })
export class ServerMetricsModule {}
