import type { EntityManager } from 'typeorm';
import type { Image } from '#libs/images';
import type { SagaStore } from '#libs/saga';
import { assertInReach, holdDisk } from './frozen-disks.ts';
import { refuseInRescue } from './rescue-state.ts';
import { newPassword, type PasswordDelivery, type SecretsStore } from './secrets.store.ts';
import { credentialKindOf, type Server } from './server.entity.ts';
import { refuseProtected } from './server-protection.ts';
import { rebuildServerRequest } from './server-requests.ts';
import { ServersError } from './servers.errors.ts';
import { type AlsoOf, noteStates, type Started, startOnServer } from './start-on-server.ts';

/** A system that is to take the place of a server's. */
export interface WantedSystem {
  readonly image: Image;
  /** Of its new password, where it gets one. */
  readonly delivery: PasswordDelivery;
  readonly userData?: string | undefined;
  readonly also?: AlsoOf | undefined;
}

/** `ServerCommands.rebuild` of a server whose row the caller has locked. @throws as that */
export async function requestRebuild(
  manager: EntityManager,
  sagas: SagaStore,
  secrets: SecretsStore,
  server: Server,
  { image, delivery, userData, also }: WantedSystem,
): Promise<Started & { readonly rootPassword: string | null }> {
  refuseProtected(server, 'rebuild');
  await refuseInRescue(manager, server);
  if (server.isoId !== null) {
    const message = 'the server would start from the ISO image in its CD drive: detach that first';
    throw new ServersError('iso_attached', message);
  }
  await assertRoomFor(manager, server, image);
  await holdDisk(manager, image);
  await assertInReach(manager, server, image);
  if (server.network === 'closed') {
    throw new ServersError('network_closed', 'a new system is verified over the network: open that first');
  }
  await also?.(manager, server);
  const serverId = server.id;
  const password = credentialKindOf(server.sshPublicKeys, image) === 'password' ? newPassword() : null;
  if (userData) await secrets.put(manager, serverId, 'user_data', userData);
  if (password !== null) await secrets.put(manager, serverId, 'pending_password', password);
  const power = server.observed === 'off' ? ('off' as const) : ('running' as const);
  const generation = server.generation + 1;
  await noteStates(manager, server, { desired: 'running', observed: 'rebuilding' });
  const started = await startOnServer(manager, sagas, server, {
    request: rebuildServerRequest,
    params: { serverId, imageId: image.id, generation, power, delivery },
    command: 'rebuild_server',
    imageId: image.id,
  });
  return { ...started, rootPassword: delivery === 'answer' ? password : null };
}

/** @throws ServersError `image_too_large` */
async function assertRoomFor(manager: EntityManager, server: Server, { appliance }: Image): Promise<void> {
  const [type] = await manager.query<{ memoryMib: number }[]>(
    'SELECT memory_mib AS "memoryMib" FROM server_types WHERE id = $1',
    [server.serverTypeId],
  );
  const { title, minimumMemoryMib, minimumDiskGib } = appliance;
  if (type && type.memoryMib >= minimumMemoryMib && server.diskGib >= minimumDiskGib) return;
  throw new ServersError(
    'image_too_large',
    `${title} needs ${minimumMemoryMib} MiB of memory and ${minimumDiskGib} GiB of disk, more than the server has`,
    'image',
  );
}
