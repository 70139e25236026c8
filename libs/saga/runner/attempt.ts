import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import type { BoundSaga } from '../define.ts';
import { assertJson } from '../json.ts';
import { isPermanent, SagaError, type SagaErrorRecord, toErrorRecord } from '../saga.errors.ts';
import { type SagaRow, subjectOf } from '../saga.record.ts';
import type { SagaStep, StepContext, UndoContext } from '../step.ts';
import type { TryResult } from './decide.ts';
import type { Lease, LeaseKeeper } from './lease.ts';

type Context = UndoContext<unknown, unknown, unknown, unknown>;

/** The runner is being stopped and has run out of patience: the try does not count. */
export class DrainAborted extends Error {
  constructor() {
    super('the worker is stopping');
    this.name = 'DrainAborted';
  }
}

/**
 * One try of one step, in two halves: `outside` touches the world and may have to be repeated; `inside` belongs in
 * the transaction that records the try.
 */
export class Attempt {
  private readonly startedAt = performance.now();
  private readonly timeout: AbortSignal;
  private readonly context: Context;

  constructor(
    private readonly step: SagaStep,
    private readonly row: SagaRow,
    private readonly lease: Lease,
    private readonly draining: AbortSignal,
    world: { saga: BoundSaga; leases: LeaseKeeper; log: Logger },
  ) {
    this.timeout = AbortSignal.timeout(step.timeoutSeconds * 1000);
    this.context = contextOf(step, row, world.saga, {
      log: world.log.child({ step: step.name, direction: row.direction, attempt: row.tries }),
      signal: AbortSignal.any([lease.lost.signal, this.timeout, draining]),
      confirmLease: () => world.leases.confirm(lease),
    });
  }

  get durationMilliseconds(): number {
    return Math.round(performance.now() - this.startedAt);
  }

  /** @throws LeaseLost, DrainAborted. Every other error is a result. */
  async outside(): Promise<TryResult> {
    const { step, context, row } = this;
    return await this.caught(async () => {
      if (row.direction === 'undo') return { kind: 'succeeded', output: await step.undo?.(context) };
      if (!step.do) return { kind: 'succeeded', output: undefined };
      return this.result(await step.do(context));
    });
  }

  /** Turns what the half inside the transaction threw into a result. @throws LeaseLost, DrainAborted. */
  async failed(error: unknown): Promise<TryResult> {
    return await this.caught(async () => {
      throw error;
    });
  }

  /** Call it within the recording transaction, with what `outside` gave. */
  async inside(manager: EntityManager, result: TryResult): Promise<TryResult> {
    if (result.kind !== 'succeeded') return result;
    const { step, context, row } = this;
    if (row.direction === 'undo') {
      await step.undoTransact?.(manager, context, result.output);
      return result;
    }
    if (step.transact) return this.result(await step.transact(manager, context));
    await step.commit?.(manager, context, result.output);
    return result;
  }

  private result(output: unknown): TryResult {
    if (this.step.wait && output === undefined) return { kind: 'not_yet' };
    if (output !== undefined) assertJson(output, this.step.name);
    return { kind: 'succeeded', output };
  }

  private async caught(work: () => Promise<TryResult>): Promise<TryResult> {
    try {
      const result = await work();
      this.lease.lost.signal.throwIfAborted();
      return result;
    } catch (error) {
      this.lease.lost.signal.throwIfAborted();
      if (this.draining.aborted) throw new DrainAborted();
      const { log } = this.context;
      if (this.timeout.aborted) {
        log.warn('the try has run out of time');
        return { kind: 'failed', error: timeoutError(this.step), permanent: false };
      }
      const record = toErrorRecord(error, this.step.name);
      log.warn({ error: record, frames: framesOf(error) }, 'the try has failed');
      return { kind: 'failed', error: record, permanent: isPermanent(error) };
    }
  }
}

function contextOf(
  step: SagaStep,
  row: SagaRow,
  saga: BoundSaga,
  rest: Pick<StepContext<unknown, unknown, unknown>, 'log' | 'signal' | 'confirmLease'>,
): Context {
  const output = row.outputs[step.name];
  return {
    sagaId: row.id,
    actionId: row.action_id,
    subject: subjectOf(row),
    // What an older release has stored may lack a parameter that has a default by now.
    params: saga.definition.params.parse(row.params),
    outputs: row.outputs,
    deps: saga.deps,
    attempt: row.tries,
    output: output === null ? undefined : output,
    reason: row.error ?? { code: 'unexpected', message: 'the reason was not recorded' },
    ...rest,
  };
}

/** Parameters may have been stored by an older release. @returns the problem, if they no longer fit. */
export function paramsProblem(saga: BoundSaga, row: SagaRow): SagaErrorRecord | undefined {
  const parsed = saga.definition.params.safeParse(row.params);
  if (parsed.success) return undefined;
  const message = `the stored parameters do not fit ${row.name} any more`;
  return toErrorRecord(new SagaError('conflict', 'saga_params_invalid', message));
}

/** Where an error came from, without its message, which may hold more than a log should. */
function framesOf(error: unknown): string[] {
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  return lines.map((line) => line.trim()).filter((line) => line.startsWith('at '));
}

function timeoutError(step: SagaStep): SagaErrorRecord {
  const message = `${step.title}: not done after ${step.timeoutSeconds} seconds`;
  return { code: 'step_timeout', message, step: step.name };
}
