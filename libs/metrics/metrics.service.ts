import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { samplesOf } from './sample-store.ts';
import { type MetricType, type Point, seriesOf, stepFor } from './series.ts';

/** What is asked for; `stepSeconds` is chosen where it is missing. */
export interface MetricsRequest {
  readonly types: readonly MetricType[];
  readonly start: Date;
  /** After `start`. */
  readonly end: Date;
  readonly stepSeconds?: number | undefined;
}

export interface Metrics {
  readonly stepSeconds: number;
  readonly series: Readonly<Record<string, readonly Point[]>>;
}

/** What servers use over time. */
@Injectable()
export class MetricsService {
  constructor(private readonly dataSource: DataSource) {}

  /** The metrics of a server, whose owner has been looked at by the caller. */
  async of(serverId: number, { types, start, end, stepSeconds }: MetricsRequest): Promise<Metrics> {
    const samples = await samplesOf(this.dataSource.manager, serverId, { from: start, until: end });
    const [from, until] = [start.getTime() / 1000, end.getTime() / 1000];
    const step = stepFor(until - from, stepSeconds);
    return {
      stepSeconds: step,
      series: seriesOf(samples, types, { start: from, end: until, stepSeconds: step }),
    };
  }
}
