import type { EntityManager } from 'typeorm';
import type { SagaStore } from '#libs/saga';
import type { Server } from './server.entity.ts';
import { type Command, switchOf } from './server-power.ts';
import { noteStates, type Started, startOnServer } from './start-on-server.ts';

/** Writes a command's intent, action and saga, in the transaction that has locked the server. */
export async function startCommand(
  manager: EntityManager,
  sagas: SagaStore,
  server: Server,
  command: Command,
): Promise<Started> {
  const switching = await switchOf(manager, server, command);
  await noteStates(manager, server, command);
  const { request, command: name } = command;
  if (switching) return startOnServer(manager, sagas, server, { ...switching, command: name });
  return startOnServer(manager, sagas, server, { request, params: { serverId: server.id }, command: name });
}
