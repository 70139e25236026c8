import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import type { SagaErrorRecord } from './saga.errors.ts';

/** What a saga is about, e.g. `{type: 'server', id: 42}`. Sagas of one subject run one at a time. */
export interface SagaSubject {
  readonly type: string;
  readonly id: number;
}

/** What every step is given. `outputs` holds the outputs of the steps before it, by their names. */
export interface StepContext<P, O, D> {
  readonly sagaId: number;
  readonly actionId: number | null;
  readonly subject: SagaSubject | null;
  readonly params: P;
  readonly outputs: O;
  readonly deps: D;
  /** Carries the saga's id, name and step. */
  readonly log: Logger;
  /** Aborts when the step's time is up, when the lease is lost, and when a drain has run out of patience. */
  readonly signal: AbortSignal;
  /** 1 on the first try of this step. */
  readonly attempt: number;
  /**
   * Asks PostgreSQL whether this process still owns the saga. Call it right before an effect that repeats badly.
   * @throws LeaseLost when another process has taken over.
   */
  confirmLease(): Promise<void>;
}

/** What an undo is given: `output` is missing when the step never got so far as to be recorded. */
export interface UndoContext<P, O, D, Out> extends StepContext<P, O, D> {
  readonly output: Out | undefined;
  /** Why the saga is being taken back. */
  readonly reason: SagaErrorRecord;
}

/** Tries in all before a step is given up, with exponential pauses (and jitter) between `first` and `max`. */
export interface RetryPolicy {
  readonly tries: number;
  readonly firstSeconds: number;
  readonly maxSeconds: number;
}

export const DEFAULT_RETRY: RetryPolicy = { tries: 5, firstSeconds: 1, maxSeconds: 60 };
export const DEFAULT_TIMEOUT_SECONDS = 300;

export interface StepOptions {
  /** For people who watch the progress; the step's name when missing. */
  readonly title?: string;
  readonly retry?: RetryPolicy;
  /** After this long, `signal` aborts and the try counts as failed; 300 unless told. */
  readonly timeoutSeconds?: number;
}

/** An effect outside the database. It may run more than once: make ids before, and let a repeat find its work. */
export interface Outside<P, O, D, Out> {
  do(ctx: StepContext<P, O, D>): Promise<Out>;
  /** Database effects of this step, in the transaction that records it: they happen exactly once. */
  commit?(manager: EntityManager, ctx: StepContext<P, O, D>, output: Awaited<Out>): Promise<void>;
  transact?: never;
}

/** A step of the database alone: it runs in the transaction that records it, so it happens exactly once. */
export interface Inside<P, O, D, Out> {
  transact(manager: EntityManager, ctx: StepContext<P, O, D>): Promise<Out>;
  do?: never;
  commit?: never;
}

type UndoInside<P, O, D, Out, Seen> = (
  manager: EntityManager,
  ctx: UndoContext<P, O, D, Out>,
  seen: Seen,
) => Promise<void>;

/**
 * How a step is taken back: outside the database (`undo`, which may run more than once), inside the transaction that
 * records the undoing (`undoTransact`, exactly once, given what `undo` returned), both in that order, or not at all
 * and why. Either must be content to find nothing: a step is undone when it failed half-way, too, and when the saga
 * turned before it began.
 */
export type Undoing<P, O, D, Out, Seen> =
  | {
      undo(ctx: UndoContext<P, O, D, Out>): Promise<Seen>;
      undoTransact?: UndoInside<P, O, D, Out, NoInfer<Seen>>;
      noUndo?: never;
    }
  | {
      undoTransact: UndoInside<P, O, D, Out, NoInfer<Seen>>;
      undo?: never;
      noUndo?: never;
    }
  | { readonly noUndo: string; undo?: never; undoTransact?: never };

/** What a step past the point of no return leaves in order when an operator gives the saga up at it, or after it. */
export interface GivingUp<P, O, D, Out, Seen> {
  readonly whenGivenUp?: Exclude<Undoing<P, O, D, Out, Seen>, { readonly noUndo: string }>;
}

export type Doing<P, O, D, Out> = Outside<P, O, D, Out> | Inside<P, O, D, Out>;

/** A wait polls until it has an output; between two looks no worker is held. */
export interface WaitOptions {
  readonly title?: string;
  /** Counted from the first look. When it has passed, the saga turns back with code `deadline_exceeded`. */
  readonly deadlineSeconds: number;
  readonly everySeconds: number;
  /** Transient errors in a row that a wait bears before the saga turns back; 5 tries unless told. */
  readonly retry?: RetryPolicy;
  /** Bounds one look, not the wait; 300 unless told. */
  readonly timeoutSeconds?: number;
}

/** One look of a wait: `undefined` means not yet. In a `transact`, what was written stays, also when not yet. */
export type Looking<P, O, D, Out> =
  | {
      check(ctx: StepContext<P, O, D>): Promise<Out | undefined>;
      commit?(manager: EntityManager, ctx: StepContext<P, O, D>, output: Out): Promise<void>;
      transact?: never;
    }
  | {
      transact(manager: EntityManager, ctx: StepContext<P, O, D>): Promise<Out | undefined>;
      check?: never;
      commit?: never;
    };

type Erased = StepContext<unknown, unknown, unknown>;
type ErasedUndo = UndoContext<unknown, unknown, unknown, unknown>;

/** A step as the engine and the harness see it: its types were checked where it was written. */
export interface SagaStep {
  readonly name: string;
  readonly title: string;
  readonly retry: RetryPolicy;
  readonly timeoutSeconds: number;
  readonly wait?: { readonly deadlineSeconds: number; readonly everySeconds: number };
  readonly do?: (ctx: Erased) => Promise<unknown>;
  readonly commit?: (manager: EntityManager, ctx: Erased, output: unknown) => Promise<void>;
  readonly transact?: (manager: EntityManager, ctx: Erased) => Promise<unknown>;
  readonly undo?: (ctx: ErasedUndo) => Promise<unknown>;
  readonly undoTransact?: (manager: EntityManager, ctx: ErasedUndo, seen: unknown) => Promise<void>;
  readonly noUndo?: string;
}
