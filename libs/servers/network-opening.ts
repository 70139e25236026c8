import type { EntityManager } from 'typeorm';
import { takeInheritedAddress } from '#libs/networks';
import type { SagaStore } from '#libs/saga';
import { refuseInRescue } from './rescue-state.ts';
import type { Server } from './server.entity.ts';
import { openNetworkRequest } from './server-requests.ts';
import { ServersError } from './servers.errors.ts';
import { type Started, startOnServer } from './start-on-server.ts';

/** `ServerCommands.openNetwork` of a server whose row the caller has locked. @throws as that */
export async function requestNetworkOpening(
  manager: EntityManager,
  sagas: SagaStore,
  server: Server,
): Promise<Started> {
  if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  await refuseInRescue(manager, server);
  const { id: serverId, network: from, holdsTimers, observed } = server;
  if (from === 'open' && !holdsTimers) {
    throw new ServersError('network_is_open', "the server's network is open already");
  }
  if (holdsTimers && observed !== 'running') {
    throw new ServersError('server_must_run', 'its timers can be let go while it runs: power it on first');
  }
  if (from === 'closed') {
    const { ip } = await takeInheritedAddress(manager, serverId);
    await manager.query('UPDATE servers SET ipv4 = $2 WHERE id = $1', [serverId, ip]);
  }
  return startOnServer(manager, sagas, server, {
    request: openNetworkRequest,
    params: { serverId, from },
    command: 'open_network',
  });
}
