import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import type { SagaRequest, SagaStore, SagaWakeUp } from '#libs/saga';
import { Action } from './action.entity.ts';
import { newAction } from './actions.service.ts';
import type { DesiredState, ObservedState, Server } from './server.entity.ts';
import { insertImage, type NewServerImage } from './server-images.ts';
import { createImageRequest } from './server-requests.ts';

/** A workflow on a server that was started, with the action that shows it. */
export interface Started {
  readonly action: Action;
  readonly wakeUp: SagaWakeUp;
}

/** What else has to be so, or happens, in the transaction that asks for something of a server. */
export type AlsoOf = (manager: EntityManager, server: Server) => Promise<unknown>;

interface Operation<P> {
  readonly request: SagaRequest<P>;
  readonly params: NoInfer<P>;
  readonly command: string;
  readonly imageId?: number;
  readonly rehearsalId?: number;
}

/** Starts a workflow on a server, which is locked until it ends. It lines up behind those that the server has. */
export async function startOnServer<P>(
  manager: EntityManager,
  sagas: SagaStore,
  { projectId, id: serverId }: Server,
  { request, params, ...rest }: Operation<P>,
): Promise<Started> {
  const sagaId = newId();
  const action = newAction({ projectId, serverId, sagaId, ...rest });
  await manager.insert(Action, action);
  const subject = { type: 'server', id: serverId };
  const wakeUp = await sagas.start(manager, request, params, { sagaId, actionId: action.id, subject });
  return { action, wakeUp };
}

/** Starts the making of an image of a server's disk. */
export async function requestImage(
  manager: EntityManager,
  sagas: SagaStore,
  server: Server,
  image: NewServerImage,
): Promise<Started & { readonly frozenDiskId: number }> {
  await insertImage(manager, server, image);
  const [serverId, imageId, frozenDiskId] = [server.id, image.id, newId()];
  const started = await startOnServer(manager, sagas, server, {
    request: createImageRequest,
    params: {
      ...{ serverId, imageId, frozenDiskId, generation: server.generation + 1 },
      withMemory: image.withMemory ?? false,
    },
    command: 'create_image',
    imageId,
  });
  return { ...started, frozenDiskId };
}

/** The intent that a command leaves: what its server is to be, and is on its way to. What is missing stays as it is. */
export async function noteStates(
  manager: EntityManager,
  server: Server,
  states: { readonly desired?: DesiredState; readonly observed?: ObservedState },
): Promise<void> {
  await manager.query(
    `UPDATE servers SET desired = coalesce($2, desired), observed = coalesce($3, observed) WHERE id = $1`,
    [server.id, states.desired ?? null, states.observed ?? null],
  );
}
