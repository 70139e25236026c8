import type { EntityManager } from 'typeorm';
import type { PaymentsListener } from '#libs/payments';
import type { BoundSaga, SagaStep } from '#libs/saga';
import type { Moment } from '#libs/saga/harness';
import { type Death, EVENTS } from './messages.ts';

/** Ends this process by SIGKILL where it was told to die, once it has come by there often enough. */
export class Mortality {
  #death: Death | undefined;
  #left = 0;

  ordain(death: Death): void {
    this.#death = death;
    this.#left = death.passing;
  }

  async pass(saga: string, step: string, moment: Moment): Promise<void> {
    const death = this.#death;
    if (!death || death.saga !== saga || death.step !== step || death.moment !== moment) return;
    this.#left -= 1;
    if (this.#left > 0) return;
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  }
}

/** The same saga, whose worker may die before and after each effect, and when all but the commit has been done. */
export function mortalSaga(saga: BoundSaga, mortality: Mortality): BoundSaga {
  const { definition } = saga;
  const pass = (step: string, moment: Moment) => mortality.pass(definition.name, step, moment);
  const steps = definition.steps.map((step) => mortalStep(step, (moment) => pass(step.name, moment)));
  return { ...saga, definition: { ...definition, steps } };
}

function mortalStep(step: SagaStep, pass: (moment: Moment) => Promise<void>): SagaStep {
  const { do: act, transact, commit } = step;
  if (transact) {
    const dying: NonNullable<SagaStep['transact']> = async (manager, ctx) => {
      await pass('before');
      const output = await transact(manager, ctx);
      await pass('recording');
      return output;
    };
    return { ...step, transact: dying };
  }
  if (!act) return step;
  return {
    ...step,
    do: async (ctx) => {
      await pass('before');
      const output = await act(ctx);
      await pass('after');
      return output;
    },
    commit: async (manager, ctx, output) => {
      await commit?.(manager, ctx, output);
      await pass('recording');
    },
  };
}

/** The same listener, whose worker may die when the books have been told and nothing is committed. */
export function mortalListener(listener: PaymentsListener, mortality: Mortality): PaymentsListener {
  type Hear = (manager: EntityManager, told: never) => Promise<void>;
  const dying = Object.entries(listener as unknown as Record<string, Hear>).map(([name, hear]) => {
    const heard: Hear = async (manager, told) => {
      await mortality.pass(EVENTS, name, 'before');
      await hear(manager, told);
      await mortality.pass(EVENTS, name, 'recording');
    };
    return [name, heard];
  });
  return Object.fromEntries(dying) as unknown as PaymentsListener;
}
