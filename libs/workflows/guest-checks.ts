import type { HealthCheck } from '#libs/images';
import { PermanentError } from '#libs/saga';
import type { PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

export const SSH_PORT = 22;

/**
 * True when SSH answers with the host key that we made. Until cloud-init has put it in place, sshd may answer with
 * none, or with one of its own.
 */
export async function answersAsItself(deps: WorkflowDeps, placed: PlacedServer): Promise<boolean> {
  const key = await deps.reach.readSshHostKey(placed.host, placed.address.ip, SSH_PORT);
  return key !== null && key === placed.server.hostKey;
}

/**
 * True when every health check of the appliance passes, seen from outside as its owner would. For a guest that has
 * answered as itself: its SSH port is not tried again, which would cost a guest that still boots one more sshd.
 */
export async function isHealthy(deps: WorkflowDeps, placed: PlacedServer): Promise<boolean> {
  for (const check of placed.image.appliance.healthChecks) {
    if (check.type === 'tcp' && check.port === SSH_PORT) continue;
    if (!(await passes(deps, placed, check))) return false;
  }
  return true;
}

/** Whether a server passes a check, seen from outside. */
export async function passes(
  { reach }: WorkflowDeps,
  { host, address }: PlacedServer,
  check: HealthCheck,
): Promise<boolean> {
  if (check.type === 'tcp') return reach.tcpOpen(host, address.ip, check.port);
  const answer = await reach.httpGet(host, address.ip, check.port, check.path);
  return answer?.status === check.status;
}

/** @throws PermanentError `domain_died` when the guest is no longer running, so that a wait need not wait on. */
export async function assertStillRunning(deps: WorkflowDeps, placed: PlacedServer): Promise<void> {
  const state = await deps.hypervisor.domainState(placed.host, placed.server.domainUuid);
  if (state === 'running' || state === 'paused') return;
  throw new PermanentError('domain_died', `the guest stopped while it was starting (domain ${state})`);
}
