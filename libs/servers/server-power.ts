import type { EntityManager } from 'typeorm';
import type { SagaRequest } from '#libs/saga';
import { runningRescue, waitingRescue } from './rescue-state.ts';
import type { DesiredState, ObservedState, Server } from './server.entity.ts';
import {
  powerOffServerRequest,
  powerOnServerRequest,
  rebootServerRequest,
  resetServerRequest,
  shutdownServerRequest,
  switchSystemRequest,
} from './server-requests.ts';

interface ServerParams {
  readonly serverId: number;
}

/** One command of a server: what it is called on the wire, when it is allowed, and the intent it leaves. */
export interface Command {
  readonly request: SagaRequest<ServerParams>;
  readonly command: string;
  readonly needs?: 'running';
  readonly desired?: DesiredState;
  readonly observed?: ObservedState;
  /** It boots the server, which may be into its rescue system, or out of it. */
  readonly boots?: 'power_on' | 'reboot' | 'reset';
}

export const POWER_ON: Command = {
  boots: 'power_on',
  request: powerOnServerRequest,
  command: 'start_server',
  desired: 'running',
  observed: 'starting',
};

export const POWER_OFF: Command = {
  request: powerOffServerRequest,
  command: 'stop_server',
  desired: 'off',
  observed: 'stopping',
};

export const SHUTDOWN: Command = {
  request: shutdownServerRequest,
  command: 'shutdown_server',
  needs: 'running',
  desired: 'off',
  observed: 'stopping',
};

export const REBOOT: Command = {
  boots: 'reboot',
  request: rebootServerRequest,
  command: 'reboot_server',
  needs: 'running',
};

export const RESET: Command = {
  boots: 'reset',
  request: resetServerRequest,
  command: 'reset_server',
  needs: 'running',
};

/** How a boot goes that is from another system than the one before; undefined where it is from the same. */
export async function switchOf(
  manager: EntityManager,
  { id: serverId, observed }: Server,
  { boots: by }: Command,
) {
  if (by === undefined || (by === 'power_on' && observed !== 'off')) return undefined;
  const [from, into] = [await runningRescue(manager, serverId), await waitingRescue(manager, serverId)];
  if (!from && !into) return undefined;
  const params = { serverId, from: from?.id ?? null, into: into?.id ?? null, by };
  return { request: switchSystemRequest, params };
}
