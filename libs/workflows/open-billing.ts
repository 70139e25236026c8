import type { EntityManager } from 'typeorm';
import { openServer, reimageServer } from '#libs/billing';
import { billedNameOf } from '#libs/images';
import { orderOfServer } from '#libs/orders';
import { lockServer } from '#libs/servers';
import { loadServer } from './server-context.ts';

/** A server is billed from now on, as what it is and by the account that ordered it. */
export async function openBilling(
  manager: EntityManager,
  serverId: number,
  isRunning: boolean,
): Promise<void> {
  const order = await orderOfServer(manager, serverId);
  const { server, type, image } = await loadServer(manager, serverId);
  const names = { serverName: server.name, serverTypeName: type.name, imageName: billedNameOf(image) };
  await openServer(manager, { ...order, ...names, isRunning });
}

/** A server may be of another image than before, and is billed as such. One that is being deleted is billed no more. */
export async function followImage(manager: EntityManager, serverId: number): Promise<void> {
  const { desired } = await lockServer(manager, serverId);
  if (desired === 'deleted') return;
  const { image } = await loadServer(manager, serverId);
  await reimageServer(manager, serverId, billedNameOf(image));
}
