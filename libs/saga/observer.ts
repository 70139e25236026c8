import type { EntityManager } from 'typeorm';
import type { SagaErrorRecord } from './saga.errors.ts';
import type { SagaDirection, SagaState, StepOutcome } from './saga.record.ts';
import type { SagaSubject } from './step.ts';

/** A try of a step has ended and is recorded. */
export interface SagaProgress {
  readonly sagaId: number;
  readonly name: string;
  readonly actionId: number | null;
  readonly subject: SagaSubject | null;
  readonly step: string;
  readonly title: string;
  readonly direction: SagaDirection;
  readonly outcome: StepOutcome;
  readonly attempt: number;
  readonly durationMilliseconds: number;
  /** Of the saga, after this try. */
  readonly state: SagaState;
  /** The step that comes next, as people read it; empty when the saga has ended. */
  readonly nextTitle: string;
  readonly stepsDone: number;
  readonly stepCount: number;
  /** Of this try; when `state` is `undone`, the error that made the saga turn. */
  readonly error: SagaErrorRecord | null;
}

/** Told of each recorded try. */
export interface SagaObserver {
  /** In the transaction that records it: what is written here is seen together with the saga's own state. */
  onProgress?(manager: EntityManager, progress: SagaProgress): Promise<void>;
  /** After the commit: for counters. */
  afterProgress?(progress: SagaProgress): void;
}
