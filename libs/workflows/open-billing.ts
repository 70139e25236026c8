import type { EntityManager } from 'typeorm';
import { openServer } from '#libs/billing';
import { orderOfServer } from '#libs/orders';
import { loadServer } from './server-context.ts';

/** A server is billed from now on, as what it is and by the account that ordered it. */
export async function openBilling(
  manager: EntityManager,
  serverId: number,
  isRunning: boolean,
): Promise<void> {
  const order = await orderOfServer(manager, serverId);
  const { server, type, image } = await loadServer(manager, serverId);
  const { name, billedAs: imageName = name } = image.appliance;
  const names = { serverName: server.name, serverTypeName: type.name, imageName };
  await openServer(manager, { ...order, ...names, isRunning });
}
