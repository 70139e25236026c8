import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ActionStepWire, CookWire } from '#libs/contracts';
import { cancelCook, cookQuery } from '../../api/recipes.ts';
import { Button } from '../../components/button.tsx';
import { DocketRule } from '../../components/docket.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { ProgressBar } from '../../components/progress-bar.tsx';
import { Panel } from '../../components/section.tsx';
import { StepList } from '../../components/step-list.tsx';
import { formatElapsed } from '../../format.ts';
import { useNow } from '../../use-now.ts';
import { STAGES } from './cook-words.ts';

/** A cook under way: how long and how far, what it is at, and the way to stop it. */
export function CookProgress({ cook }: { cook: CookWire }) {
  const elapsedMs = useNow(true) - Date.parse(cook.started ?? cook.created);
  const queryClient = useQueryClient();
  const stop = useMutation({
    mutationFn: () => cancelCook(cook.id),
    onSuccess: () => queryClient.invalidateQueries(cookQuery(cook.id)),
  });
  return (
    <Panel className="max-w-2xl">
      <div className="flex items-baseline justify-between gap-4">
        <p
          role="timer"
          aria-label="Time since it began"
          className="text-4xl font-[640] tracking-tight tabular-nums"
        >
          {formatElapsed(elapsedMs)}
        </p>
        <p className="text-sm text-soft tabular-nums">{cook.percent} %</p>
      </div>
      <ProgressBar percent={cook.percent} label="Progress of the cook" />
      <p className="mt-3 min-h-6 font-mono text-sm wrap-anywhere text-soft">{cook.message}</p>
      <DocketRule />
      <StepList steps={stepsOf(cook)} />
      <p role="status" className="sr-only">
        {STAGES.find(([stage]) => stage === cook.stage)?.[1]}
      </p>
      {stop.error && <ErrorPanel error={stop.error} />}
      <Button
        look="secondary"
        className="mt-6"
        busy={stop.isPending || stop.isSuccess}
        onClick={() => stop.mutate()}
      >
        Stop it
      </Button>
    </Panel>
  );
}

/** The stages as steps: those before the one at hand are done. */
function stepsOf({ stage: current }: CookWire): ActionStepWire[] {
  const at = STAGES.findIndex(([stage]) => stage === current);
  const stateOf = (index: number) => (index < at ? 'done' : index === at ? 'running' : 'pending');
  return STAGES.map(([name, title], index) => ({
    name,
    title,
    state: stateOf(index),
    started: null,
    finished: null,
    tries: 1,
  }));
}
