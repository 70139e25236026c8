import type { EntityManager } from 'typeorm';
import { isEvidence, type SuspensionReason, standingSuspensions } from '#libs/accounts';
import type { Server } from './server.entity.ts';
import { ServersError } from './servers.errors.ts';
import { lockServer } from './servers.service.ts';
import { isRetired, suspensionOf } from './suspension-state.ts';

export interface Admission {
  /** For the deletion: whatever runs is taken back, and who does not pay may delete. */
  readonly whileLocked?: boolean;
}

/**
 * The row of a server that its owner may act on now, locked until the transaction ends.
 * @throws ServersError `server_not_found`, `server_suspended`, `server_locked`
 */
export async function admit(
  manager: EntityManager,
  projectId: number,
  serverId: number,
  options: Admission = {},
): Promise<Server> {
  const server = await ownServer(manager, projectId, serverId);
  if (options.whileLocked) {
    await refuseWhileInvestigated(manager, projectId, 'server');
  } else {
    await refuseWhileSuspended(manager, server);
    await refuseWhileLocked(manager, serverId);
  }
  if (server.desired === 'deleted' && (!options.whileLocked || (await isBeingDeleted(manager, serverId)))) {
    throw new ServersError('server_locked', 'the server is being deleted');
  }
  return server;
}

/** The row of a server of a project, locked until the transaction ends. @throws ServersError `server_not_found` */
export async function ownServer(
  manager: EntityManager,
  projectId: number,
  serverId: number,
): Promise<Server> {
  const server = await lockServer(manager, serverId);
  const isHidden = server.deletedAt !== null || (await isRetired(manager, serverId));
  if (server.projectId !== projectId || isHidden) {
    throw new ServersError('server_not_found', `there is no server ${serverId}`);
  }
  return server;
}

/** An operator may have given up a deletion that was stuck; then it can be asked for again. */
async function isBeingDeleted(manager: EntityManager, serverId: number): Promise<boolean> {
  const running = await manager.query<unknown[]>(
    `SELECT 1 FROM actions WHERE server_id = $1 AND status = 'running' AND command = 'delete_server' LIMIT 1`,
    [serverId],
  );
  return running.length > 0;
}

const WHAT_TO_DO: Readonly<Record<SuspensionReason, string>> = {
  billing: 'pay the open invoices, and it is switched on again',
  abuse: 'answer the notice that you were sent',
  operator: 'ask the operator',
};

/** For as long as any reason stands, and until the server is back as it was. @throws ServersError `server_suspended` */
export async function refuseWhileSuspended(manager: EntityManager, server: Server): Promise<void> {
  const standing = await standingSuspensions(manager, server.accountId);
  const reasons = standing.map(({ reason }) => reason);
  if (reasons.length > 0) {
    const advice = reasons.map((reason) => WHAT_TO_DO[reason]).join('; ');
    throw new ServersError('server_suspended', `the server is suspended: ${advice}`, undefined, { reasons });
  }
  if (await suspensionOf(manager, server.id)) {
    const message = 'the server is being brought back from its suspension: try again in a minute';
    throw new ServersError('server_suspended', message, undefined, { reasons });
  }
}

/** What is suspended for abuse may be evidence. @throws ServersError `server_suspended`, `image_suspended` */
export async function refuseWhileInvestigated(
  manager: EntityManager,
  projectId: number,
  what: 'server' | 'image',
): Promise<void> {
  if (!(await isEvidence(manager, projectId))) return;
  const message = `the ${what} is kept while its account is suspended for abuse: ${WHAT_TO_DO.abuse}`;
  throw new ServersError(`${what}_suspended`, message, undefined, { reasons: ['abuse'] });
}

/** @throws ServersError `server_locked` */
export async function refuseWhileLocked(manager: EntityManager, serverId: number): Promise<void> {
  const [running] = await manager.query<{ command: string }[]>(
    `SELECT command FROM actions WHERE server_id = $1 AND status = 'running' LIMIT 1`,
    [serverId],
  );
  if (running) {
    throw new ServersError('server_locked', `the server is locked by a running action (${running.command})`);
  }
}
