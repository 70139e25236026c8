import type { OnProgress } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<unknown, unknown, WorkflowDeps>, 'actionId' | 'deps' | 'log'>;

/** Which step of how many an action is at: 0 for the first. */
export interface StepPlace {
  readonly index: number;
  readonly of: number;
}

/**
 * Writes how far a long step is within its action, and within the export that the action makes: in whole percent, which
 * only grow.
 */
export function stepProgress({ actionId, deps, log }: Context, { index, of }: StepPlace): OnProgress {
  let written = 0;
  return (done, total) => {
    const percent = Math.floor((99 * (index + Math.min(1, done / Math.max(1, total)))) / of);
    if (percent <= written) return;
    written = percent;
    const query = deps.dataSource.query(
      `WITH action AS (UPDATE actions SET progress = $2 WHERE id = $1 AND status = 'running' AND progress < $2)
       UPDATE exports e SET progress = $2 FROM actions a
       WHERE a.id = $1 AND e.id = a.export_id AND e.state = 'creating' AND e.progress < $2`,
      [actionId, percent],
    );
    // What it tells is told again soon; the work goes on.
    query.catch((err: unknown) => log.warn({ err }, 'the progress of a step was not written'));
  };
}
