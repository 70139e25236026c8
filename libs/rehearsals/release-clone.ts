import type { EntityManager } from 'typeorm';
import type { SagaStore } from '#libs/saga';
import { lockServer, requestDeletion } from '#libs/servers';
import type { Rehearsal } from './rehearsal.entity.ts';

/**
 * Asks for the deletion of a rehearsal's clone, unless it is deleted already, or its owner has protected it: then it is theirs
 * to delete.
 */
export async function releaseClone(
  manager: EntityManager,
  sagas: SagaStore,
  { id, cloneServerId }: Pick<Rehearsal, 'id' | 'cloneServerId'>,
): Promise<void> {
  // Whatever its owner makes of it from now on is none of the rehearsal's.
  await manager.query('UPDATE rehearsals SET clone_expires_at = NULL, clone_server_id = NULL WHERE id = $1', [
    id,
  ]);
  if (cloneServerId === null) return;
  const clone = await lockServer(manager, cloneServerId);
  if (clone.desired !== 'deleted' && !clone.isDeleteProtected) await requestDeletion(manager, sagas, clone);
}
