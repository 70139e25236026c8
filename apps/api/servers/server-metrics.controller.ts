import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import { byId, type MetricsWire, serverMetricsQuery, serverMetricsResponse } from '#libs/contracts';
import { type Metrics, MetricsService } from '#libs/metrics';
import { ServersService } from '#libs/servers';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { wireTime } from '../http/wire.ts';

@Controller('v1/servers')
export class ServerMetricsController {
  constructor(
    private readonly servers: ServersService,
    private readonly metrics: MetricsService,
  ) {}

  @Get(':id/metrics')
  @Endpoint({
    summary: 'What a server used of CPU, disk and network, by time; kept for 30 days',
    access: 'read',
    response: serverMetricsResponse,
  })
  async get(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: z.output<typeof byId>,
    @Query({ schema: serverMetricsQuery }) query: z.output<typeof serverMetricsQuery>,
  ) {
    await this.servers.get(projectId, id);
    const period = { start: new Date(query.start), end: new Date(query.end) };
    const request = { types: query.type, ...period, stepSeconds: query.step };
    return { metrics: presentMetrics(period, await this.metrics.of(id, request)) };
  }
}

function presentMetrics(
  { start, end }: { readonly start: Date; readonly end: Date },
  { stepSeconds, series }: Metrics,
): MetricsWire {
  const all = Object.entries(series).map(([name, points]) => [
    name,
    { values: points.map(([at, value]) => [at, String(value)]) },
  ]);
  return {
    ...{ start: wireTime(start), end: wireTime(end), step: stepSeconds },
    time_series: Object.fromEntries(all),
  };
}
