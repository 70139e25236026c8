import type { DataSource, EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { BoundSaga } from '../define.ts';
import type { SagaObserver, SagaProgress } from '../observer.ts';
import type { SagaErrorRecord } from '../saga.errors.ts';
import { SAGA_COLUMNS, type SagaRow, subjectOf } from '../saga.record.ts';
import type { Move, Position } from './decide.ts';
import { type Lease, type LeaseKeeper, type LockedRow, lockOwned } from './lease.ts';

/** What one recording is about: the try, or a turn that no try came before. */
export interface Recording {
  readonly lease: Lease;
  readonly saga: BoundSaga;
  /** The row as it was when the try began. */
  readonly before: SagaRow;
  /** Runs in the transaction, under the row's lock, and says where the saga goes. */
  decide(manager: EntityManager, at: Position): Promise<Decided>;
}

export interface Decided {
  readonly move: Move;
  readonly durationMilliseconds: number;
  readonly error: SagaErrorRecord | null;
}

export interface Recorded {
  readonly row: SagaRow;
  /** `null`: the saga goes on at once in the same hands, or it has ended. */
  readonly sleepSeconds: number | null;
}

/** Writes what a try did, its log line and what observers add, in one transaction that only the owner can commit. */
export class Recorder {
  constructor(
    private readonly dataSource: DataSource,
    private readonly leases: LeaseKeeper,
    private readonly observers: readonly SagaObserver[],
    private readonly settings: { readonly owner: string; readonly leaseSeconds: number },
    private readonly stopping: () => boolean,
  ) {}

  /** @throws LeaseLost when another process has claimed the saga since; nothing is written then. */
  async record(recording: Recording): Promise<Recorded> {
    const { lease, saga, before } = recording;
    const written = await runInTransaction(this.dataSource, async (manager) => {
      const locked = await lockOwned(manager, lease);
      if (!locked) throw this.leases.lose(lease);
      // Written by a commit that nobody heard of: what failed then is not the step that is next.
      if (isPast(before, locked)) return { row: locked, progress: null, sleepSeconds: null };
      const decided = await recording.decide(manager, positionOf(locked));
      const move = this.paused(decided.move, locked);
      const row = await writeMove(manager, locked, move, before.wakes, this.settings.leaseSeconds);
      const progress = move.outcome && progressOf(saga, before, locked, { ...decided, move });
      if (progress) {
        await this.writeLog(manager, progress);
        for (const observer of this.observers) await observer.onProgress?.(manager, progress);
      }
      return { row, progress, sleepSeconds: move.sleepSeconds };
    });
    for (const observer of this.observers) if (written.progress) observer.afterProgress?.(written.progress);
    return written;
  }

  /** When the worker is stopping, what would go on at once is left to another worker instead. */
  private paused(move: Move, locked: SagaRow): Move {
    const goesOn = move.sleepSeconds === null && move.state !== 'done' && move.state !== 'undone';
    if (!goesOn || !this.stopping()) return move;
    const tries = move.step === locked.step && move.direction === locked.direction ? move.tries : 0;
    return { ...move, sleepSeconds: 0, tries };
  }

  private async writeLog(manager: EntityManager, progress: SagaProgress): Promise<void> {
    await manager.query(
      `INSERT INTO saga_steps (saga_id, step, direction, try, outcome, error, duration_milliseconds, worker, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())`,
      [
        progress.sagaId,
        progress.step,
        progress.direction,
        progress.attempt,
        progress.outcome,
        progress.error && JSON.stringify(progress.error),
        progress.durationMilliseconds,
        this.settings.owner,
      ],
    );
  }
}

function isPast({ step, direction }: SagaRow, locked: LockedRow): boolean {
  return locked.step !== step || locked.direction !== direction;
}

async function writeMove(
  manager: EntityManager,
  locked: SagaRow,
  move: Move,
  wakesSeen: number,
  leaseSeconds: number,
): Promise<SagaRow> {
  const ended = move.state === 'done' || move.state === 'undone';
  const released = ended || move.sleepSeconds !== null;
  const [rows]: [SagaRow[], number] = await manager.query(
    `UPDATE sagas SET state = $2, direction = $3, step = $4, outputs = $5, tries = $6, error = $7, reversible = $8,
       step_started_at = CASE WHEN step = $4 AND direction = $3 THEN step_started_at ELSE clock_timestamp() END,
       wake_at = CASE WHEN $9::float8 IS NULL THEN wake_at WHEN wakes <> $10 THEN clock_timestamp()
                      ELSE clock_timestamp() + make_interval(secs => $9) END,
       lease_owner = CASE WHEN $11 THEN NULL ELSE lease_owner END,
       lease_until = CASE WHEN $11 THEN NULL ELSE clock_timestamp() + make_interval(secs => $12) END,
       finished_at = CASE WHEN $13 THEN clock_timestamp() END,
       version = version + 1, updated_at = clock_timestamp()
     WHERE id = $1 RETURNING ${SAGA_COLUMNS}`,
    [
      locked.id,
      move.state,
      move.direction,
      move.step,
      JSON.stringify(move.outputs),
      move.tries,
      move.error && JSON.stringify(move.error),
      move.reversible,
      move.sleepSeconds,
      wakesSeen,
      released,
      leaseSeconds,
      ended,
    ],
  );
  return rows[0] as SagaRow;
}

function positionOf(row: LockedRow): Position {
  const { state, direction, step, outputs, tries, error, undo_requested, step_seconds } = row;
  return {
    state,
    direction,
    step,
    outputs,
    tries,
    error,
    undoRequested: undo_requested,
    stepSeconds: step_seconds,
  };
}

function progressOf(
  saga: BoundSaga,
  before: SagaRow,
  locked: LockedRow,
  { move, durationMilliseconds, error }: Decided,
): SagaProgress {
  const { steps } = saga.definition;
  const step = steps.find(({ name }) => name === locked.step) ?? steps[0];
  const next = steps.find(({ name }) => name === move.step);
  const ended = move.state === 'done' || move.state === 'undone';
  const waited = step?.wait !== undefined && move.outcome === 'succeeded' && locked.direction === 'do';
  return {
    sagaId: locked.id,
    name: locked.name,
    actionId: locked.action_id,
    subject: subjectOf(locked),
    step: step?.name ?? locked.step,
    title: step?.title ?? locked.step,
    direction: locked.direction,
    outcome: move.outcome ?? 'succeeded',
    attempt: before.tries,
    durationMilliseconds: waited ? Math.round(locked.step_seconds * 1000) : durationMilliseconds,
    state: move.state,
    nextTitle: ended ? '' : (next?.title ?? move.step),
    stepsDone: steps.filter(({ name }) => name in move.outputs).length,
    stepCount: steps.length,
    error: move.state === 'undone' ? move.error : error,
  };
}
