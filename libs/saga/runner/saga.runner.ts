import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { sleep } from '#libs/kernel';
import type { BoundSaga } from '../define.ts';
import type { SagaObserver } from '../observer.ts';
import { LeaseLost, type SagaErrorRecord } from '../saga.errors.ts';
import type { SagaRow } from '../saga.record.ts';
import type { SagaWakeUp } from '../saga.store.ts';
import type { SagaStep } from '../step.ts';
import { Attempt, DrainAborted, paramsProblem } from './attempt.ts';
import {
  decide,
  giveUp,
  type Move,
  type Position,
  stepIndex,
  type TryResult,
  turnBackUntried,
} from './decide.ts';
import { type Claim, type Lease, LeaseKeeper } from './lease.ts';
import { naturalPace, type Pace } from './pace.ts';
import { type Recorded, Recorder } from './recorder.ts';
import { Slots } from './slots.ts';

/** How long a step that does not listen to its signal may hold up the end of the process. */
const DEAF_STEP_MILLISECONDS = 5000;

/** Tells some worker, now or after a while, that a saga is due. May be lost: the sweeper finds what is due. */
export interface SagaAlarm {
  poke(saga: SagaWakeUp, delaySeconds?: number): Promise<void>;
}

export interface SagaRunnerOptions {
  readonly dataSource: DataSource;
  readonly sagas: readonly BoundSaga[];
  readonly log: Logger;
  readonly alarm?: SagaAlarm;
  readonly observers?: readonly SagaObserver[];
  /** Sagas in progress at once in this process; 8 unless told. Keep the database's pool larger than this. */
  readonly concurrency?: number;
  /** After this long without a sign of life another worker takes over; 30 unless told. */
  readonly leaseSeconds?: number;
  /** How often PostgreSQL is asked for what is due; 2 unless told. */
  readonly sweepSeconds?: number;
  /** How long `stop()` lets steps finish before it aborts their signals; 25 unless told. */
  readonly drainSeconds?: number;
  readonly pace?: Pace;
}

/** Runs sagas: claims what is due, tries step after step, and records each before it goes on. */
export class SagaRunner {
  readonly concurrency: number;
  private readonly sagas: ReadonlyMap<string, BoundSaga>;
  private readonly leases: LeaseKeeper;
  private readonly recorder: Recorder;
  private readonly slots: Slots;
  private readonly pace: Pace;
  private readonly drain = new AbortController();
  private stopping = false;
  private sweepTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SagaRunnerOptions) {
    const leaseSeconds = options.leaseSeconds ?? 30;
    const owner = `${hostname()}/${process.pid}`;
    this.concurrency = options.concurrency ?? 8;
    this.sagas = byName(options.sagas);
    this.slots = new Slots(this.concurrency);
    this.pace = options.pace ?? naturalPace;
    this.leases = new LeaseKeeper(options.dataSource, [...this.sagas.keys()], owner, leaseSeconds);
    this.recorder = new Recorder(
      options.dataSource,
      this.leases,
      options.observers ?? [],
      { owner, leaseSeconds },
      () => this.stopping,
    );
  }

  /**
   * Begins to sweep for due sagas and to renew leases.
   * @throws Error when an unfinished saga has a name that this worker has no definition for.
   */
  async start(): Promise<void> {
    await this.refuseUnknown();
    this.leases.start();
    const sweepMilliseconds = (this.options.sweepSeconds ?? 2) * 1000;
    this.sweepTimer = setInterval(() => void this.sweep(), sweepMilliseconds);
    void this.sweep();
  }

  /** Takes nothing new, lets steps in progress end, and returns when this process holds no saga. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.sweepTimer);
    const drainMilliseconds = (this.options.drainSeconds ?? 25) * 1000;
    const impatience = setTimeout(() => this.drain.abort(new DrainAborted()), drainMilliseconds);
    const leaving = new AbortController();
    const giveUp = sleep(drainMilliseconds + DEAF_STEP_MILLISECONDS, leaving.signal).catch(() => {});
    await Promise.race([this.slots.idle(), giveUp]);
    leaving.abort();
    clearTimeout(impatience);
    this.leases.stop();
  }

  /** Answers an alarm: runs this saga, if it is due, until it ends, sleeps or is lost. Never throws. */
  async handle(sagaId: number): Promise<void> {
    await this.slots.use(async () => {
      const claim = await this.claim(sagaId);
      if (claim) await this.drive(claim);
    });
  }

  /** Claims one due saga after the other; each that is found lets another slot look for one, too. */
  private async sweep(): Promise<void> {
    if (this.slots.free === 0) return;
    await this.slots.use(async () => {
      for (let claim = await this.claim(); claim; claim = await this.claim()) {
        void this.sweep();
        await this.drive(claim);
      }
    });
  }

  private async claim(sagaId?: number): Promise<Claim | undefined> {
    if (this.stopping) return undefined;
    try {
      const claim = await this.leases.claim(sagaId);
      if (!claim || !this.stopping) return claim;
      await this.leases.giveBack(claim.lease);
      return undefined;
    } catch (err) {
      this.options.log.error({ err, sagaId }, 'the database could not be asked for due sagas');
      return undefined;
    }
  }

  private async drive({ row, lease }: Claim): Promise<void> {
    const saga = this.sagas.get(row.name) as BoundSaga;
    const log = this.options.log.child({ sagaId: row.id, saga: row.name, actionId: row.action_id });
    try {
      let at: Recorded = { row, sleepSeconds: null };
      while (at.sleepSeconds === null && at.row.finished_at === null) {
        at = await this.advance(saga, at.row, lease, log);
      }
      await this.wakeLater(at);
      const { state, step } = at.row;
      if (at.sleepSeconds === null || state === 'stuck')
        log.info({ state, step }, 'the saga has come to rest');
      else log.debug({ state, step, sleepSeconds: at.sleepSeconds }, 'the saga sleeps');
    } catch (err) {
      if (err instanceof LeaseLost) log.warn('another worker has taken over');
      else
        log.error({ err }, 'the try could not be recorded: its lease will run out and it will be repeated');
    } finally {
      this.leases.forget(lease);
    }
  }

  private async advance(saga: BoundSaga, before: SagaRow, lease: Lease, log: Logger): Promise<Recorded> {
    const untried = this.moveWithoutTry(saga, before);
    if (untried) {
      const { move, error } = untried;
      const decided = { move, error, durationMilliseconds: 0 };
      return await this.recorder.record({ lease, saga, before, decide: async () => decided });
    }
    const step = saga.definition.steps[stepIndex(saga.definition, before.step)] as SagaStep;
    const world = { saga, leases: this.leases, log };
    const attempt = new Attempt(step, before, lease, this.drain.signal, world);
    try {
      return await this.tryStep(saga, before, lease, attempt);
    } catch (error) {
      if (!(error instanceof DrainAborted)) throw error;
      const move = interrupted(before, step);
      const decided = { move, error: null, durationMilliseconds: attempt.durationMilliseconds };
      return await this.recorder.record({ lease, saga, before, decide: async () => decided });
    }
  }

  private async tryStep(saga: BoundSaga, before: SagaRow, lease: Lease, attempt: Attempt): Promise<Recorded> {
    const decided = (at: Position, result: TryResult) => ({
      move: decide(saga.definition, at, result, this.pace),
      error: result.kind === 'failed' ? result.error : null,
      durationMilliseconds: attempt.durationMilliseconds,
    });
    const outside = await attempt.outside();
    try {
      return await this.recorder.record({
        lease,
        saga,
        before,
        decide: async (manager, at) => decided(at, await attempt.inside(manager, outside)),
      });
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      const failed = await attempt.failed(error);
      return await this.recorder.record({
        lease,
        saga,
        before,
        decide: async (_, at) => decided(at, failed),
      });
    }
  }

  /** What can be said before a try: turn back on request, or stop at a step that kills its workers. */
  private moveWithoutTry(
    saga: BoundSaga,
    row: SagaRow,
  ): { move: Move; error: SagaErrorRecord | null } | undefined {
    const { definition } = saga;
    const index = stepIndex(definition, row.step);
    const step = definition.steps[index];
    const at: Position = { ...row, undoRequested: row.undo_requested, stepSeconds: 0 };
    if (row.state === 'stuck' && row.undo_requested?.code === 'given_up') {
      const error = givenUp(row, step);
      return { move: giveUp(definition, step ? at : atItsEnd(definition, at), error), error };
    }
    if (!step) return { move: this.lost(row), error: unknownStep(row) };
    const reversible = row.direction === 'do' && index < definition.pointOfNoReturn;
    if (reversible && row.undo_requested) {
      return { move: turnBackUntried(definition, at, row.undo_requested), error: row.undo_requested };
    }
    const problem = paramsProblem(saga, row) ?? this.tooManyDeaths(row, step);
    if (!problem) return undefined;
    const failed: TryResult = { kind: 'failed', error: problem, permanent: true };
    return { move: decide(definition, at, failed, this.pace), error: problem };
  }

  private tooManyDeaths(row: SagaRow, step: SagaStep): SagaErrorRecord | undefined {
    const policy = row.direction === 'do' ? step.retry : this.pace.undoRetry;
    if (row.tries <= policy.tries || row.state === 'stuck') return undefined;
    const message = `${step.title}: ${policy.tries} tries ended without a word`;
    return { code: 'step_interrupted', message, step: step.name };
  }

  private lost(row: SagaRow): Move {
    const { direction, step, outputs, tries, reversible } = row;
    const sleepSeconds = this.pace.stuck();
    const error = unknownStep(row);
    return {
      state: 'stuck',
      direction,
      step,
      outputs,
      tries,
      reversible,
      error,
      sleepSeconds,
      outcome: 'failed',
    };
  }

  /** Sets the alarm of a saga that sleeps, or of the next in line for the subject of one that has ended. */
  private async wakeLater({ row, sleepSeconds }: Recorded): Promise<void> {
    const { alarm, dataSource } = this.options;
    if (!alarm) return;
    if (sleepSeconds !== null)
      return await alarm.poke({ sagaId: row.id, version: row.version }, sleepSeconds);
    if (row.subject_type === null) return;
    const next: SagaWakeUp[] = await dataSource.query(
      `SELECT id AS "sagaId", version FROM sagas
       WHERE subject_type = $1 AND subject_id = $2 AND finished_at IS NULL ORDER BY seq LIMIT 1`,
      [row.subject_type, row.subject_id],
    );
    for (const saga of next) await alarm.poke(saga);
  }

  private async refuseUnknown(): Promise<void> {
    const rows: { name: string; count: number }[] = await this.options.dataSource.query(
      'SELECT name, count(*) AS count FROM sagas WHERE finished_at IS NULL AND NOT name = ANY($1) GROUP BY name',
      [[...this.sagas.keys()]],
    );
    if (rows.length === 0) return;
    const unknown = rows.map(({ name, count }) => `${name} (${count} unfinished)`).join(', ');
    throw new Error(`no definition for ${unknown}: run the release that knows it until those have ended`);
  }
}

function byName(sagas: readonly BoundSaga[]): Map<string, BoundSaga> {
  const known = new Map<string, BoundSaga>();
  for (const saga of sagas) {
    const { name } = saga.definition;
    if (known.has(name)) throw new Error(`two sagas are named ${name}`);
    known.set(name, saga);
  }
  return known;
}

function unknownStep(row: SagaRow): SagaErrorRecord {
  return {
    code: 'step_unknown',
    message: `${row.name} has no step ${row.step} in this release`,
    step: row.step,
  };
}

function givenUp(row: SagaRow, step: SagaStep | undefined): SagaErrorRecord {
  const what = row.error?.message ?? step?.title ?? row.step;
  return { code: 'given_up', message: `given up by the operator: ${what}`, step: row.step };
}

/** For a step that this release does not know: whatever it does know is taken back. */
function atItsEnd({ steps }: BoundSaga['definition'], at: Position): Position {
  return { ...at, direction: 'do', step: (steps.at(-1) as SagaStep).name };
}

/** Back to where it was before the try, for another worker to take at once. */
function interrupted(row: SagaRow, step: SagaStep): Move {
  const { state, direction, outputs, error, reversible } = row;
  return {
    state,
    direction,
    step: step.name,
    outputs,
    tries: row.tries - 1,
    error,
    reversible,
    sleepSeconds: 0,
    outcome: 'interrupted',
  };
}
