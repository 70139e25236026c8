export { sagaMetrics } from './metrics.ts';
export { naturalPace, type Pace } from './pace.ts';
export { SagaModule, type SagaModuleOptions, type SagasToRun } from './saga.module.ts';
export { type SagaAlarm, SagaRunner, type SagaRunnerOptions } from './saga.runner.ts';
