import type { ActionWire } from '#libs/contracts';
import { formatElapsed } from '../format.ts';
import { useNow } from '../use-now.ts';
import { DocketRule } from './docket.tsx';
import { ProgressBar } from './progress-bar.tsx';
import { Skeleton } from './skeleton.tsx';
import { StepList } from './step-list.tsx';

interface ActionProgressProps {
  readonly action: ActionWire | undefined;
  /** When it began (ISO 8601). */
  readonly since: string;
  /** What the clock and the bar are about, for screen readers. */
  readonly clockLabel: string;
  readonly barLabel: string;
}

/** An action under way: its clock, its bar and the real steps of its workflow. */
export function ActionProgress({ action, since, clockLabel, barLabel }: ActionProgressProps) {
  const elapsedMs = useNow(true) - Date.parse(since);
  const steps = action?.servery?.steps ?? [];
  return (
    <>
      <div className="flex items-baseline justify-between gap-4">
        <p role="timer" aria-label={clockLabel} className="text-4xl font-[640] tracking-tight tabular-nums">
          {formatElapsed(elapsedMs)}
        </p>
        <p className="text-sm text-soft tabular-nums">{action ? `${action.progress} %` : ''}</p>
      </div>
      <ProgressBar percent={action?.progress ?? 0} label={barLabel} />
      <DocketRule />
      {steps.length > 0 ? <StepList steps={steps} /> : <Skeleton className="mb-3 h-6" count={5} />}
      <StepAnnouncer action={action} />
    </>
  );
}

/** Tells screen readers of each new step, and of nothing else. */
function StepAnnouncer({ action }: { action: ActionWire | undefined }) {
  const steps = action?.servery?.steps ?? [];
  const index = steps.findIndex((step) => step.state === 'running');
  return (
    <p role="status" className="sr-only">
      {index >= 0 ? `Step ${index + 1} of ${steps.length}: ${steps[index]?.title}` : ''}
    </p>
  );
}
