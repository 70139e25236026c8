import type { SagaDefinition } from '../define.ts';
import type { SagaErrorRecord } from '../saga.errors.ts';
import type { SagaDirection, SagaState, StepOutcome } from '../saga.record.ts';
import type { SagaStep } from '../step.ts';
import type { Pace } from './pace.ts';

/** What is known when a try has ended. */
export interface Position {
  readonly state: SagaState;
  readonly direction: SagaDirection;
  /** Empty before the first step. */
  readonly step: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly tries: number;
  readonly error: SagaErrorRecord | null;
  readonly undoRequested: SagaErrorRecord | null;
  /** Since the step was first begun. */
  readonly stepSeconds: number;
}

/** How a try ended. `not_yet`: a wait has looked in vain. */
export type TryResult =
  | { readonly kind: 'succeeded'; readonly output: unknown }
  | { readonly kind: 'not_yet' }
  | { readonly kind: 'failed'; readonly error: SagaErrorRecord; readonly permanent: boolean };

/** What the row becomes. */
export interface Move {
  readonly state: SagaState;
  readonly direction: SagaDirection;
  readonly step: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly tries: number;
  readonly error: SagaErrorRecord | null;
  readonly reversible: boolean;
  /** Seconds to sleep without a lease; `null` goes on at once (or has ended). */
  readonly sleepSeconds: number | null;
  /** For the log; `null` when a wait's vain look is not worth a line. */
  readonly outcome: StepOutcome | null;
}

type Steps = Pick<SagaDefinition<never, never>, 'steps' | 'pointOfNoReturn' | 'whenGivenUp'>;

/** The state machine of a saga: where it stands and how the try ended give where it goes. Touches nothing. */
export function decide(saga: Steps, at: Position, result: TryResult, pace: Pace): Move {
  return at.direction === 'do' ? decideDo(saga, at, result, pace) : decideUndo(saga, at, result, pace);
}

/** The move of a saga that is to turn back before its present try: an earlier one may have left something. */
export function turnBackUntried(saga: Steps, at: Position, error: SagaErrorRecord): Move {
  return turnBack(saga, at, error, 'failed');
}

/** The move of a saga that its operator gives up: forwards it turns, backwards it leaves the undo that is stuck. */
export function giveUp(saga: Steps, at: Position, reason: SagaErrorRecord): Move {
  if (at.direction === 'do') return turnBack(saga, at, reason, 'failed');
  return undoNext(saga, at, stepIndex(saga, at.step) - 1, at.error, 'failed');
}

/** The index of the step at which a saga stands. @returns -1 when the definition has no such step. */
export function stepIndex(saga: Steps, name: string): number {
  return name === '' ? 0 : saga.steps.findIndex((step) => step.name === name);
}

function decideDo(saga: Steps, at: Position, result: TryResult, pace: Pace): Move {
  const index = stepIndex(saga, at.step);
  const step = saga.steps[index] as SagaStep;
  const reversible = index < saga.pointOfNoReturn;
  if (result.kind === 'succeeded') return advance(saga, at, step, index, result.output);
  const turning = reversible ? at.undoRequested : null;
  if (result.kind === 'not_yet') {
    if (turning) return turnBack(saga, at, turning, 'failed');
    const late = step.wait && at.stepSeconds >= step.wait.deadlineSeconds;
    if (late) return fail(saga, at, step, reversible, deadlineError(step), true, pace);
    return { ...stay(at, step, reversible), tries: 0, sleepSeconds: pace.look(step), outcome: null };
  }
  if (turning) return turnBack(saga, at, turning, 'failed');
  return fail(saga, at, step, reversible, result.error, result.permanent, pace);
}

function advance(saga: Steps, at: Position, step: SagaStep, index: number, output: unknown): Move {
  const outputs = { ...at.outputs, [step.name]: output ?? null };
  const recorded = { ...at, step: step.name, outputs };
  if (at.undoRequested && index < saga.pointOfNoReturn) {
    return turnBack(saga, recorded, at.undoRequested, 'succeeded');
  }
  const next = saga.steps[index + 1];
  return {
    state: next ? 'running' : 'done',
    direction: 'do',
    step: next?.name ?? step.name,
    outputs,
    tries: next ? 1 : at.tries,
    error: null,
    reversible: index + 1 < saga.pointOfNoReturn,
    sleepSeconds: null,
    outcome: 'succeeded',
  };
}

function fail(
  saga: Steps,
  at: Position,
  step: SagaStep,
  reversible: boolean,
  error: SagaErrorRecord,
  permanent: boolean,
  pace: Pace,
): Move {
  const exhausted = permanent || at.tries >= step.retry.tries;
  if (exhausted && reversible) return turnBack(saga, at, error, 'failed');
  const here = stay(at, step, reversible);
  if (exhausted) {
    return { ...here, state: 'stuck', error, sleepSeconds: pace.stuck(), outcome: 'failed' };
  }
  return { ...here, error, sleepSeconds: pace.retry(step.retry, at.tries), outcome: 'retried' };
}

function decideUndo(saga: Steps, at: Position, result: TryResult, pace: Pace): Move {
  const step = saga.steps[stepIndex(saga, at.step)] as SagaStep;
  if (result.kind !== 'failed') {
    return undoNext(saga, at, stepIndex(saga, at.step) - 1, at.error, 'succeeded');
  }
  const here = { ...stay(at, step, false), direction: 'undo' as const };
  const stuck = result.permanent || at.tries >= pace.undoRetry.tries;
  if (stuck && isGivenUp(at)) return undoNext(saga, at, stepIndex(saga, at.step) - 1, at.error, 'failed');
  if (stuck) return { ...here, state: 'stuck', sleepSeconds: pace.stuck(), outcome: 'failed' };
  return {
    ...here,
    state: 'undoing',
    sleepSeconds: pace.retry(pace.undoRetry, at.tries),
    outcome: 'retried',
  };
}

/**
 * Back from the present step, its own undo first, whether or not it was tried: it may have left something, and what
 * came with the request itself is given back by the first step's undo.
 */
function turnBack(saga: Steps, at: Position, error: SagaErrorRecord, outcome: StepOutcome): Move {
  return undoNext(saga, at, stepIndex(saga, at.step), error, outcome);
}

/**
 * The nearest step at or before `from` that has something to take back, or the end. Past the point of no return,
 * where only giving up leads back, it may be that point that is the end.
 */
function undoNext(
  saga: Steps,
  at: Position,
  from: number,
  error: SagaErrorRecord | null,
  outcome: StepOutcome,
): Move {
  const isPast = stepIndex(saga, at.step) >= saga.pointOfNoReturn;
  const first = isPast && saga.whenGivenUp === 'leave' ? saga.pointOfNoReturn : 0;
  const left = saga.steps
    .slice(first, Math.max(first, from + 1))
    .findLast((step) => step.undo ?? step.undoTransact);
  return {
    state: left ? 'undoing' : 'undone',
    direction: 'undo',
    step: left?.name ?? at.step,
    outputs: at.outputs,
    tries: left ? 1 : at.tries,
    error,
    reversible: false,
    sleepSeconds: null,
    outcome,
  };
}

function isGivenUp(at: Position): boolean {
  return at.undoRequested?.code === 'given_up';
}

function stay(at: Position, step: SagaStep, reversible: boolean): Omit<Move, 'sleepSeconds' | 'outcome'> {
  const { direction, outputs, tries, error } = at;
  return { state: 'running', direction, step: step.name, outputs, tries, error, reversible };
}

function deadlineError(step: SagaStep): SagaErrorRecord {
  const message = `${step.title}: not there after ${step.wait?.deadlineSeconds} seconds`;
  return { code: 'deadline_exceeded', message, step: step.name };
}
