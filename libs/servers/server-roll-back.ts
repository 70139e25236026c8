import { type EntityManager, IsNull } from 'typeorm';
import { Image } from '#libs/images';
import { gibToBytes, newId } from '#libs/kernel';
import type { SagaStore } from '#libs/saga';
import { refuseInRescue } from './rescue-state.ts';
import type { Server } from './server.entity.ts';
import { insertImage } from './server-images.ts';
import { refuseProtected } from './server-protection.ts';
import { rollBackServerRequest } from './server-requests.ts';
import { ServersError } from './servers.errors.ts';
import { type AlsoOf, noteStates, type Started, startOnServer } from './start-on-server.ts';

/** What a server is to be put back to. */
export interface WantedReturn {
  readonly image: Image;
  /** To its memory too, where that can be. */
  readonly withMemory: boolean;
  readonly also?: AlsoOf | undefined;
}

/** `ServerCommands.rollBack` of a server whose row the caller has locked. @throws as that */
export async function requestRollBack(
  manager: EntityManager,
  sagas: SagaStore,
  server: Server,
  { image, withMemory, also }: WantedReturn,
): Promise<Started> {
  if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  refuseProtected(server, 'rebuild');
  await refuseInRescue(manager, server);
  await assertOfServer(manager, server, image);
  await also?.(manager, server);
  const keptImageId = newId();
  await insertImage(manager, server, {
    id: keptImageId,
    type: 'snapshot',
    madeBy: 'roll_back',
    description: `Before the roll back to ${image.description ?? image.id}`.slice(0, 255),
    labels: {},
  });
  const power = server.desired === 'off' ? ('off' as const) : ('running' as const);
  const generation = server.generation + 1;
  const ids = { serverId: server.id, imageId: image.id, keptImageId, frozenDiskId: newId() };
  await noteStates(manager, server, { observed: 'rebuilding' });
  const isSameDisk = image.virtualSizeBytes === gibToBytes(server.diskGib);
  const resumes = withMemory && image.memoryBytes !== null && power === 'running' && isSameDisk;
  return startOnServer(manager, sagas, server, {
    request: rollBackServerRequest,
    params: { ...ids, generation, power, resumes },
    command: 'roll_back_server',
    imageId: image.id,
  });
}

/** @throws ServersError `image_not_found` (deleted by now), `image_of_another_server`, `image_of_another_size` */
async function assertOfServer(manager: EntityManager, server: Server, image: Image): Promise<void> {
  const there = { where: { id: image.id, deletedAt: IsNull() }, lock: { mode: 'pessimistic_read' } } as const;
  if (!(await manager.getRepository(Image).findOne(there))) {
    throw new ServersError('image_not_found', `there is no image ${image.id}`);
  }
  if (image.serverId !== server.id || image.frozenDiskId === null) {
    const message = `image ${image.id} was not made of this server: rebuild it from that image, or order another`;
    throw new ServersError('image_of_another_server', message, 'image');
  }
  if (image.virtualSizeBytes <= gibToBytes(server.diskGib)) return;
  const message = `the server's disk is smaller than it was when image ${image.id} was made`;
  throw new ServersError('image_of_another_size', message, 'image');
}
