import type { RetryPolicy, SagaStep } from '../step.ts';

/** How long a saga sleeps between tries. */
export interface Pace {
  retry(policy: RetryPolicy, tries: number): number;
  look(step: SagaStep): number;
  stuck(): number;
  /** Of every undo: after so many tries the saga is shown as stuck, and tried on at the pace of `stuck`. */
  readonly undoRetry: RetryPolicy;
}

const STUCK_SECONDS = 900;

/** Exponential pauses with jitter between half and the whole, so that failures of a moment do not come back as one. */
export const naturalPace: Pace = {
  retry: (policy, tries) => {
    const whole = Math.min(policy.maxSeconds, policy.firstSeconds * 2 ** (tries - 1));
    return whole * (0.5 + Math.random() / 2);
  },
  look: (step) => step.wait?.everySeconds ?? 0,
  stuck: () => STUCK_SECONDS,
  undoRetry: { tries: 10, firstSeconds: 1, maxSeconds: 300 },
};
