import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import type { SagaStore, SagaWakeUp } from '#libs/saga';
import { Action } from './action.entity.ts';
import { newAction } from './actions.service.ts';
import { refuseInRescue } from './rescue-state.ts';
import type { Server } from './server.entity.ts';
import { freezeDiskRequest } from './server-requests.ts';

/**
 * Asks for what a server's disk holds at one moment, for those who read it. It is done by an action of its own, which
 * locks the server, whose row the caller has locked, for as long as it takes. `frozenDiskId`: there once the saga of
 * `wakeUp` has ended well. @throws ServersError `server_in_rescue`
 */
export async function requestFreeze(
  manager: EntityManager,
  sagas: SagaStore,
  { id: serverId, projectId, generation }: Pick<Server, 'id' | 'projectId' | 'generation'>,
): Promise<{ readonly frozenDiskId: number; readonly wakeUp: SagaWakeUp }> {
  await refuseInRescue(manager, { id: serverId });
  const [frozenDiskId, sagaId] = [newId(), newId()];
  const action = newAction({ projectId, serverId, sagaId, command: 'freeze_disk' });
  await manager.insert(Action, action);
  const params = { serverId, frozenDiskId, generation: generation + 1 };
  const subject = { type: 'server', id: serverId };
  const options = { sagaId, actionId: action.id, subject };
  return { frozenDiskId, wakeUp: await sagas.start(manager, freezeDiskRequest, params, options) };
}
