import type { EntityManager } from 'typeorm';
import type { BoundSaga } from '../define.ts';
import { PermanentError } from '../saga.errors.ts';
import type { SagaDirection } from '../saga.record.ts';
import type { SagaStep } from '../step.ts';

/**
 * `before` any effect; `after` the effect outside the database; while `recording`: in the transaction, after all
 * that it writes.
 */
export type Moment = 'before' | 'after' | 'recording';

/** What goes wrong, once. `repeat`: the step does its work outside the database twice. */
export type FaultKind = 'transient' | 'permanent' | 'kill' | 'repeat';

export interface Fault {
  readonly step: string;
  readonly direction: SagaDirection;
  readonly moment: Moment;
  readonly kind: FaultKind;
}

/** The same saga with faults planted in it. Each strikes once in this process, and is then added to `struck`. */
export function withFaults(
  saga: BoundSaga,
  faults: readonly Fault[],
  struck: Set<Fault> = new Set(),
): BoundSaga {
  const steps = saga.definition.steps.map((step) =>
    faults
      .filter((fault) => fault.step === step.name)
      .reduce((whole, fault) => plant(whole, fault, struck), step),
  );
  return { ...saga, definition: { ...saga.definition, steps } };
}

function plant(step: SagaStep, fault: Fault, struck: Set<Fault>): SagaStep {
  const strike = striker(fault, struck);
  return fault.direction === 'do' ? plantInDo(step, fault, strike) : plantInUndo(step, fault, strike);
}

function plantInDo(step: SagaStep, { kind, moment }: Fault, strike: () => Promise<void>): SagaStep {
  const { do: act, transact, commit } = step;
  if (transact) {
    const struck = async (manager: EntityManager, ctx: Parameters<typeof transact>[1]) => {
      if (moment === 'before') await strike();
      const output = await transact(manager, ctx);
      if (moment !== 'before' && !isVain(step, output)) await strike();
      return output;
    };
    return { ...step, transact: struck };
  }
  if (!act) return step;
  if (moment === 'recording') {
    const struck: NonNullable<SagaStep['commit']> = async (manager, ctx, output) => {
      await commit?.(manager, ctx, output);
      await strike();
    };
    return { ...step, commit: struck };
  }
  return {
    ...step,
    do: async (ctx) => {
      if (moment === 'before') await strike();
      if (kind === 'repeat') await act(ctx);
      const output = await act(ctx);
      if (moment === 'after' && !isVain(step, output)) await strike();
      return output;
    },
  };
}

function plantInUndo(step: SagaStep, { kind, moment }: Fault, strike: () => Promise<void>): SagaStep {
  const { undo, undoTransact } = step;
  if (moment === 'recording' || !undo) {
    const struck: NonNullable<SagaStep['undoTransact']> = async (manager, ctx, seen) => {
      if (moment === 'before') await strike();
      await undoTransact?.(manager, ctx, seen);
      if (moment !== 'before') await strike();
    };
    return { ...step, undoTransact: struck };
  }
  return {
    ...step,
    undo: async (ctx) => {
      if (moment === 'before') await strike();
      if (kind === 'repeat') await undo(ctx);
      const seen = await undo(ctx);
      if (moment === 'after') await strike();
      return seen;
    },
  };
}

/** A wait's look in vain is not yet the step's effect. */
function isVain(step: SagaStep, output: unknown): boolean {
  return step.wait !== undefined && output === undefined;
}

function striker(fault: Fault, struck: Set<Fault>): () => Promise<void> {
  const { kind, step, moment } = fault;
  return async () => {
    if (struck.has(fault)) return;
    struck.add(fault);
    if (kind === 'repeat') return;
    if (kind === 'permanent') throw new PermanentError('planted', `a planted fault ${moment} ${step}`);
    if (kind === 'transient') throw new Error(`a planted fault ${moment} ${step}`);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  };
}
