import { Check, Minus, Undo2, X } from 'lucide-react';
import type { ActionStepWire } from '#libs/contracts';
import { formatDuration } from '../format.ts';
import { useNow } from '../use-now.ts';

type StepState = ActionStepWire['state'];

const STATE: Readonly<Record<StepState, { readonly word: string; readonly mark: string }>> = {
  pending: { word: 'To do', mark: 'border-2 border-line-strong/50' },
  running: { word: 'Under way', mark: 'border-2 border-saffron' },
  done: { word: 'Done', mark: 'bg-brand text-on-brand' },
  failed: { word: 'Failed', mark: 'bg-bad text-surface' },
  undone: { word: 'Undone', mark: 'bg-line-strong text-surface' },
};

/** The steps of a workflow as they really stand, with the time that each took. */
export function StepList({ steps }: { steps: readonly ActionStepWire[] }) {
  const now = useNow(steps.some((step) => step.state === 'running'));
  return (
    <ol className="grid" aria-label="Steps">
      {steps.map((step, index) => (
        <li
          key={step.name}
          data-step={step.name}
          data-state={step.state}
          className="group relative flex gap-3.5 pb-4 last:pb-0"
        >
          <span
            aria-hidden="true"
            className="absolute top-6 bottom-0 left-[0.6875rem] w-px bg-line group-last:hidden group-data-[state=done]:bg-brand/50"
          />
          <StepMark state={step.state} />
          <span className="flex min-w-0 flex-1 flex-wrap items-baseline justify-between gap-x-4">
            <span className={step.state === 'pending' ? 'text-soft' : 'font-medium'}>
              {step.title}
              <span className="sr-only">: {STATE[step.state].word}</span>
              {step.tries > 1 && <span className="ml-2 text-sm font-normal text-soft">try {step.tries}</span>}
            </span>
            <span className="text-sm text-soft tabular-nums">
              {stepTime(step, steps[index - 1]?.finished ?? null, now)}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

/** A step that is under way began at the latest when the one before it ended. */
function stepTime(step: ActionStepWire, endOfLast: string | null, nowMs: number): string {
  if (step.state === 'undone') return 'undone';
  const started = step.started ?? endOfLast;
  if (started === null || step.state === 'pending') return '';
  const endMs = step.finished === null ? nowMs : Date.parse(step.finished);
  return formatDuration(endMs - Date.parse(started));
}

const ICON: Partial<Record<StepState, typeof Check>> = {
  done: Check,
  failed: X,
  undone: Undo2,
  pending: Minus,
};

function StepMark({ state }: { state: StepState }) {
  const Icon = ICON[state];
  return (
    <span
      aria-hidden="true"
      className={`relative grid size-[1.4375rem] shrink-0 place-items-center rounded-full ${STATE[state].mark}`}
    >
      {state === 'running' && (
        <>
          <span className="absolute size-2.5 animate-ring rounded-full bg-saffron" />
          <span className="size-2.5 rounded-full bg-saffron" />
        </>
      )}
      {Icon && state !== 'pending' && <Icon className="size-3.5" strokeWidth={3} />}
    </span>
  );
}
