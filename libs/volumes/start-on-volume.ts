import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import type { SagaRequest, SagaStore } from '#libs/saga';
import { Action, newAction, type Started } from '#libs/servers';
import type { Volume } from './volume.entity.ts';

interface Operation<P> {
  readonly request: SagaRequest<P>;
  readonly params: NoInfer<P>;
  readonly command: string;
  /** The server whose machine it changes: it is locked until it ends, and its workflows run one at a time. */
  readonly serverId: number | null;
}

/** Starts a workflow on a volume, which is locked until it ends. */
export async function startOnVolume<P>(
  manager: EntityManager,
  sagas: SagaStore,
  { id: volumeId, projectId }: Pick<Volume, 'id' | 'projectId'>,
  { request, params, command, serverId }: Operation<P>,
): Promise<Started> {
  const sagaId = newId();
  const action = newAction({ projectId, serverId, volumeId, sagaId, command });
  await manager.insert(Action, action);
  const subject = serverId === null ? { type: 'volume', id: volumeId } : { type: 'server', id: serverId };
  const wakeUp = await sagas.start(manager, request, params, { sagaId, actionId: action.id, subject });
  return { action, wakeUp };
}
