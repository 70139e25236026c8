export {
  type BoundSaga,
  type DepsType,
  deps,
  ForwardSagaBuilder,
  SagaBuilder,
  type SagaDefinition,
  type SagaRequest,
  saga,
  sagaRequest,
  withDeps,
} from './define.ts';
export type { SagaObserver, SagaProgress } from './observer.ts';
export {
  isPermanent,
  LeaseLost,
  PermanentError,
  redact,
  SagaError,
  type SagaErrorCode,
  type SagaErrorRecord,
  toErrorRecord,
} from './saga.errors.ts';
export type { SagaDirection, SagaLogEntry, SagaRecord, SagaState, StepOutcome } from './saga.record.ts';
export {
  type SagaFilter,
  SagaStore,
  type SagaWakeUp,
  type StartOptions,
  type UndoRequestResult,
} from './saga.store.ts';
export { SagaStoreModule } from './saga-store.module.ts';
export type { RetryPolicy, SagaStep, SagaSubject, StepContext, UndoContext } from './step.ts';
