import type { OnProgress } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<
  StepContext<{ readonly exportId: number }, unknown, WorkflowDeps>,
  'actionId' | 'params' | 'deps' | 'log'
>;

/**
 * Writes how far an export is, while a step is at work: on its action and its own row, in whole percent, which only grow.
 * The step is number `step`, from 0, of `steps`.
 */
export function exportProgress(ctx: Context, step: number, steps: number): OnProgress {
  const { actionId, params, deps, log } = ctx;
  let written = 0;
  return (done, total) => {
    const percent = Math.floor((99 * (step + Math.min(1, done / Math.max(1, total)))) / steps);
    if (percent <= written) return;
    written = percent;
    const query = deps.dataSource.query(
      `WITH action AS (UPDATE actions SET progress = $2 WHERE id = $3 AND status = 'running' AND progress < $2)
       UPDATE exports SET progress = $2 WHERE id = $1 AND state = 'creating' AND progress < $2`,
      [params.exportId, percent, actionId],
    );
    // What it tells is told again soon; the work goes on.
    query.catch((err: unknown) => log.warn({ err }, 'the progress of an export was not written'));
  };
}
