import type { SagaLogEntry, SagaRecord, SagaStep } from '#libs/saga';

export type ActionStepState = 'pending' | 'running' | 'done' | 'failed' | 'undone';

/** One step of an action as a customer sees it. */
export interface ActionStep {
  readonly name: string;
  readonly title: string;
  readonly state: ActionStepState;
  readonly started: Date | null;
  readonly finished: Date | null;
  readonly tries: number;
}

/** The real steps of a saga, from its workflow's steps, its row and its log. */
export function stepsOf(
  steps: readonly SagaStep[],
  record: SagaRecord,
  log: readonly SagaLogEntry[],
): ActionStep[] {
  return steps.map(({ name, title }) => {
    const tries = log.filter((entry) => entry.step === name && entry.direction === 'do');
    const first = tries[0];
    const last = tries.at(-1);
    return {
      name,
      title,
      state: stateOf(name, record, log),
      started: first ? new Date(first.at.getTime() - first.durationMilliseconds) : null,
      finished: last?.outcome === 'succeeded' ? last.at : null,
      tries: tries.length,
    };
  });
}

function stateOf(name: string, record: SagaRecord, log: readonly SagaLogEntry[]): ActionStepState {
  const ended = (direction: 'do' | 'undo') =>
    log.some(
      (entry) => entry.step === name && entry.direction === direction && entry.outcome === 'succeeded',
    );
  if (ended('undo')) return 'undone';
  if (ended('do')) return 'done';
  if (record.error?.step === name && record.direction === 'undo') return 'failed';
  return record.direction === 'do' && record.step === name && record.finishedAt === null
    ? 'running'
    : 'pending';
}
