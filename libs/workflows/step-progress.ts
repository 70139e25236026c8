import type { DataSource } from 'typeorm';

const EVERY_MILLISECONDS = 1000;

/** Which step of how many an action is at: 0 for the first. */
export interface StepPlace {
  readonly index: number;
  readonly of: number;
}

/**
 * Shows how far a long step is within its action, once a second at most. What is shown is never taken back, and a
 * picture that cannot be shown stops nobody.
 */
export function showingProgress(
  {
    actionId,
    deps,
  }: { readonly actionId: number | null; readonly deps: { readonly dataSource: DataSource } },
  { index, of }: StepPlace,
): (done: number, all: number) => void {
  let shownAt = 0;
  return (done, all) => {
    const now = Date.now();
    if (actionId === null || all <= 0 || now - shownAt < EVERY_MILLISECONDS) return;
    shownAt = now;
    const percent = Math.floor((99 * (index + Math.min(1, done / all))) / of);
    deps.dataSource
      .query(`UPDATE actions SET progress = greatest(progress, $2) WHERE id = $1 AND status = 'running'`, [
        actionId,
        percent,
      ])
      .catch(() => {});
  };
}
