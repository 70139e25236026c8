/** A step of the ladder that an account which does not pay is led down. */
export type DunningStep =
  | 'unpaid'
  | 'first_warning'
  | 'last_warning'
  | 'suspension'
  | 'soft_deletion'
  | 'purge';

/** What the operator decides about accounts that do not pay. */
export interface DunningSettings {
  /** Hours between two tries to collect what a bank refused for now; a week at least once servers are suspended. */
  readonly retryHours: number;
  /** Days since the first payment that failed, growing from step to step; `unpaid` is at 0. */
  readonly days: Readonly<Record<Exclude<DunningStep, 'unpaid'>, number>>;
}

/** The steps in their order. */
export const DUNNING_STEPS = [
  'unpaid',
  'first_warning',
  'last_warning',
  'suspension',
  'soft_deletion',
  'purge',
] as const satisfies readonly DunningStep[];

const DAY_MILLISECONDS = 86_400_000;
/** However late a step was taken, the next one is half a day away: nobody is warned and switched off at once. */
export const NOTICE_HOURS = 12;

/** The step that follows `step`, or the first one; undefined after the last. */
export function stepAfter(step: DunningStep | null): DunningStep | undefined {
  return DUNNING_STEPS[step === null ? 0 : DUNNING_STEPS.indexOf(step) + 1];
}

/** True once `step` is `mark` or lies beyond it. */
export function hasReached(step: DunningStep | null, mark: DunningStep): boolean {
  return step !== null && DUNNING_STEPS.indexOf(step) >= DUNNING_STEPS.indexOf(mark);
}

/** When the step after `taken` is due; null when there is none. */
export function nextDue(
  settings: DunningSettings,
  { since, taken, takenAt }: { readonly since: Date; readonly taken: DunningStep; readonly takenAt: Date },
): Date | null {
  const next = stepAfter(taken);
  if (next === undefined) return null;
  const planned = stepDueOn(settings, since, next).getTime();
  return new Date(Math.max(planned, takenAt.getTime() + NOTICE_HOURS * 3_600_000));
}

export function daysOf({ days }: DunningSettings, step: DunningStep): number {
  return step === 'unpaid' ? 0 : days[step];
}

/** When a step is due that lies ahead, should all steps before it be taken in time. */
export function stepDueOn(settings: DunningSettings, since: Date, step: DunningStep): Date {
  return new Date(since.getTime() + daysOf(settings, step) * DAY_MILLISECONDS);
}
