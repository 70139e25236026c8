import type { ServerWire } from '#libs/contracts';

/** Whether something is being done to a server, so that nothing else can be. */
export function isServerBusy(server: ServerWire): boolean {
  return server.locked || !server.servery.ready || server.status === 'deleting';
}

/** Whether its owner has to settle something first; what is being done or not, nearly all is refused until then. */
export function isServerSuspended({ servery }: ServerWire): boolean {
  return servery.suspension !== null;
}

/** Whether its own system does not run, so that what would work on that is refused. */
export function isServerInRescue({ servery }: ServerWire): boolean {
  return servery.rescue?.state === 'running';
}
