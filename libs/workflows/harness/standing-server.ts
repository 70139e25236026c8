import { IsNull } from 'typeorm';
import { Account, Project } from '#libs/accounts';
import { Location, ServerType } from '#libs/catalog';
import type { HostRef } from '#libs/hypervisor';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import type { PlacedOrder } from '#libs/orders';
import { HostsService, toHostRef } from '#libs/placement';
import { runToEnd } from '#libs/saga/harness';
import { type Action, requestFreeze, Server } from '#libs/servers';
import { volumesAlong } from '#libs/volumes';
import { placedServer } from '../power-state.ts';
import type { ServerWorld } from './server-world.ts';

/**
 * The customer orders a small server, of the web image unless told, with a password and user data of their own; with
 * volumes, where some are named, which are mounted.
 */
export async function order(
  world: ServerWorld,
  of?: Image,
  volumeIds: readonly number[] = [],
): Promise<PlacedOrder> {
  const { manager } = world.dataSource;
  const [account, project, location, serverType, web] = await Promise.all([
    manager.getRepository(Account).findOneByOrFail({}),
    manager.getRepository(Project).findOneByOrFail({}),
    manager.getRepository(Location).findOneByOrFail({}),
    manager.getRepository(ServerType).findOneByOrFail({ name: 's1' }),
    manager.getRepository(Image).findOneByOrFail({ name: 'web' }),
  ]);
  return world.placer.place({
    serverId: newId(),
    accountId: account.id,
    projectId: project.id,
    location,
    serverType,
    image: of ?? web,
    currency: 'eur',
    name: `server-${newId()}`,
    sshPublicKeys: [],
    labels: {},
    userData: '#cloud-config\n{}\n',
    startAfterCreate: true,
    passwordDelivery: 'reveal',
    ...(volumeIds.length > 0 && { volumes: volumesAlong(project.id, volumeIds, { automount: true }) }),
  });
}

/** The customer orders a clone of a server, whose disk is frozen for it by now. */
export async function orderClone(
  world: ServerWorld,
  original: Server,
  kind: 'safe' | 'exact',
): Promise<PlacedOrder> {
  const { manager } = world.dataSource;
  const { frozenDiskId, wakeUp } = await requestFreeze(manager, world.store, original);
  const { state } = await runToEnd(world, 'freeze-disk', wakeUp.sagaId, []);
  if (state !== 'done') throw new Error(`freeze-disk ended ${state}`);
  const [location, serverType, image] = await Promise.all([
    manager.getRepository(Location).findOneByOrFail({ id: original.locationId }),
    manager.getRepository(ServerType).findOneByOrFail({ id: original.serverTypeId }),
    manager.getRepository(Image).findOneByOrFail({ id: original.imageId }),
  ]);
  const { accountId, projectId, sshPublicKeys } = original;
  return world.placer.place({
    ...{ accountId, projectId, sshPublicKeys, location, serverType, image },
    serverId: newId(),
    currency: 'eur',
    name: `clone-${newId()}`,
    labels: {},
    startAfterCreate: true,
    passwordDelivery: 'reveal',
    copy: {
      ...{ original, frozenDiskId, freezeSagaId: wakeUp.sagaId, kind },
      network: kind === 'exact' ? 'closed' : 'isolated',
      holdsTimers: kind === 'safe',
    },
  });
}

/** The one host of the world. */
export async function placedHost({ dataSource }: ServerWorld): Promise<HostRef> {
  const [host] = await new HostsService(dataSource).all();
  if (!host) throw new Error('the world has no host');
  return toHostRef(host);
}

/** Lets an action's saga run undisturbed. @throws Error when it does not succeed */
export async function finish(world: ServerWorld, action: Action): Promise<void> {
  const sagaId = Number(action.sagaId);
  const { name } = await world.store.get(sagaId);
  const { state, error } = await runToEnd(world, name, sagaId, []);
  if (state !== 'done') throw new Error(`${name} ended ${state}: ${error?.message}`);
}

/** The server that the world has, ready and in this state; ordered now where there is none. */
export async function standingServer(world: ServerWorld, state: 'running' | 'off'): Promise<Server> {
  const servers = world.dataSource.getRepository(Server);
  const first = { where: { deletedAt: IsNull() }, order: { createdAt: 'ASC' } } as const;
  const known = await servers.findOne(first);
  if (!known) {
    const { action } = await order(world);
    await finish(world, action);
  }
  const server = await servers.findOneOrFail(first);
  const { host } = await placedServer({ params: { serverId: server.id }, deps: world.deps });
  if (state === 'running') await world.deps.hypervisor.startDomain(host, server.domainUuid);
  else await world.deps.hypervisor.destroyDomain(host, server.domainUuid);
  await servers.update({ id: server.id }, { observed: state, desired: state });
  return { ...server, observed: state, desired: state };
}
