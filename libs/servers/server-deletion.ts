import type { EntityManager } from 'typeorm';
import { closeServer } from '#libs/billing';
import { newId } from '#libs/kernel';
import type { SagaStore, SagaWakeUp } from '#libs/saga';
import { Action } from './action.entity.ts';
import { newAction } from './actions.service.ts';
import { BackupPlan } from './backup-plan.entity.ts';
import type { Server } from './server.entity.ts';
import { deleteBackups } from './server-images.ts';
import { deleteServerRequest } from './server-requests.ts';

/**
 * Asks for a server's deletion, whose row the caller has locked. Billing ends with this call, and its backups
 * go with it; what is still under way on it is taken back first.
 */
export async function requestDeletion(
  manager: EntityManager,
  sagas: SagaStore,
  { id: serverId, projectId }: Pick<Server, 'id' | 'projectId'>,
): Promise<{ readonly action: Action; readonly wakeUp: SagaWakeUp }> {
  await turnBackUnfinished(manager, sagas, serverId);
  await manager.query(`UPDATE servers SET desired = 'deleted', observed = 'deleting' WHERE id = $1`, [
    serverId,
  ]);
  await closeServer(manager, serverId);
  await manager.getRepository(BackupPlan).delete({ serverId });
  await deleteBackups(manager, serverId, { keep: 0 });
  const sagaId = newId();
  const action = newAction({ projectId, serverId, sagaId, command: 'delete_server' });
  await manager.insert(Action, action);
  const subject = { type: 'server', id: serverId };
  const options = { sagaId, actionId: action.id, subject };
  return { action, wakeUp: await sagas.start(manager, deleteServerRequest, { serverId }, options) };
}

/** What still runs on a server that is to go is taken back, so that the deletion need not wait for it. */
async function turnBackUnfinished(manager: EntityManager, sagas: SagaStore, serverId: number): Promise<void> {
  const subject = { type: 'server', id: serverId };
  for (const { id } of await sagas.list({ subject, states: ['running', 'stuck'] }, manager)) {
    await sagas.requestUndo(manager, id, 'its server is being deleted');
  }
}
