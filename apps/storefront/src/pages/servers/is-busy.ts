import type { ServerWire } from '#libs/contracts';

/** Whether something is being done to a server, so that nothing else can be. */
export function isServerBusy(server: ServerWire): boolean {
  return server.locked || !server.servery.ready || server.status === 'deleting';
}
