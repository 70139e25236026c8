export { ServerMetricsModule } from './metrics.module.ts';
export { type Metrics, type MetricsRequest, MetricsService } from './metrics.service.ts';
export { recordSamples } from './sample-store.ts';
export { type MetricType, type Point, SAMPLE_SECONDS } from './series.ts';
export { thinSamples } from './thinning.ts';
