import type { SagaErrorRecord } from './saga.errors.ts';
import type { SagaSubject } from './step.ts';

/** `stuck` is tried ever more rarely and shown to the operator, until it passes or is resumed by hand. */
export type SagaState = 'running' | 'undoing' | 'done' | 'undone' | 'stuck';
export type SagaDirection = 'do' | 'undo';

/** One saga as it stands in the database. */
export interface SagaRecord {
  readonly id: number;
  readonly name: string;
  readonly params: unknown;
  readonly state: SagaState;
  readonly direction: SagaDirection;
  /** The step that is next, or in progress; empty before the first, the last one when the saga has ended. */
  readonly step: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Grows with every change of the row. */
  readonly version: number;
  /** Tries of the present step, the one in progress counted. */
  readonly tries: number;
  readonly wakeAt: Date;
  /** When the present step was first begun; a wait's deadline counts from here. */
  readonly stepStartedAt: Date | null;
  /** False past the point of no return. */
  readonly reversible: boolean;
  readonly leaseOwner: string | null;
  readonly leaseToken: number;
  readonly leaseUntil: Date | null;
  /** The last error of the present step; once the saga turns back, the error that made it turn. */
  readonly error: SagaErrorRecord | null;
  readonly undoRequested: SagaErrorRecord | null;
  readonly actionId: number | null;
  readonly subject: SagaSubject | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
}

/** How one try of a step ended. `interrupted`: its process died or lost its lease before it could say. */
export type StepOutcome = 'succeeded' | 'retried' | 'failed' | 'interrupted';

/** One line of a saga's log. */
export interface SagaLogEntry {
  readonly step: string;
  readonly direction: SagaDirection;
  readonly try: number;
  readonly outcome: StepOutcome;
  readonly error: SagaErrorRecord | null;
  /** Of this try alone; of the whole wait, for a wait that succeeded. */
  readonly durationMilliseconds: number;
  readonly worker: string;
  readonly at: Date;
}

/** The columns of `sagas`, as `manager.query` gives them. */
export interface SagaRow {
  readonly id: number;
  readonly name: string;
  readonly params: unknown;
  readonly state: SagaState;
  readonly direction: SagaDirection;
  readonly step: string;
  readonly outputs: Record<string, unknown>;
  readonly version: number;
  readonly tries: number;
  readonly wakes: number;
  readonly wake_at: Date;
  readonly step_started_at: Date | null;
  readonly reversible: boolean;
  readonly lease_owner: string | null;
  readonly lease_token: number;
  readonly lease_until: Date | null;
  readonly error: SagaErrorRecord | null;
  readonly undo_requested: SagaErrorRecord | null;
  readonly action_id: number | null;
  readonly subject_type: string | null;
  readonly subject_id: number | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
}

/** What `SagaRow` has, as a list of columns. */
export const SAGA_COLUMNS = [
  'id',
  'name',
  'params',
  'state',
  'direction',
  'step',
  'outputs',
  'version',
  'tries',
  'wakes',
  'wake_at',
  'step_started_at',
  'reversible',
  'lease_owner',
  'lease_token',
  'lease_until',
  'error',
  'undo_requested',
  'action_id',
  'subject_type',
  'subject_id',
  'created_at',
  'updated_at',
  'finished_at',
]
  .map((column) => `sagas.${column}`)
  .join(', ');

export function toRecord(row: SagaRow): SagaRecord {
  return {
    id: row.id,
    name: row.name,
    params: row.params,
    state: row.state,
    direction: row.direction,
    step: row.step,
    outputs: row.outputs,
    version: row.version,
    tries: row.tries,
    wakeAt: row.wake_at,
    stepStartedAt: row.step_started_at,
    reversible: row.reversible,
    leaseOwner: row.lease_owner,
    leaseToken: row.lease_token,
    leaseUntil: row.lease_until,
    error: row.error,
    undoRequested: row.undo_requested,
    actionId: row.action_id,
    subject: subjectOf(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at,
  };
}

export function subjectOf(row: SagaRow): SagaSubject | null {
  if (row.subject_type === null || row.subject_id === null) return null;
  return { type: row.subject_type, id: row.subject_id };
}
