import type { EntityManager } from 'typeorm';
import type { SagaObserver, SagaProgress } from '#libs/saga';

/** Keeps each action as far as its saga is, in the transaction that records the saga's own progress. */
export class ActionProgress implements SagaObserver {
  async onProgress(manager: EntityManager, progress: SagaProgress): Promise<void> {
    if (progress.actionId === null) return;
    if (progress.state === 'done') return finishAction(manager, progress.actionId, null);
    if (progress.state === 'undone') {
      return finishAction(
        manager,
        progress.actionId,
        progress.error ?? { code: 'unexpected', message: 'failed' },
      );
    }
    // Progress only grows: while a saga turns back, its action keeps the mark that it had reached.
    await manager.query(
      `UPDATE actions SET progress = greatest(progress, $2) WHERE id = $1 AND status = 'running'`,
      [progress.actionId, Math.floor((99 * progress.stepsDone) / progress.stepCount)],
    );
  }
}

async function finishAction(
  manager: EntityManager,
  actionId: number,
  error: { readonly code: string; readonly message: string } | null,
): Promise<void> {
  await manager.query(
    `UPDATE actions SET status = $2, progress = 100, error_code = $3, error_message = $4, finished_at = now()
     WHERE id = $1 AND status = 'running'`,
    [actionId, error ? 'error' : 'success', error?.code ?? null, error?.message ?? null],
  );
}
