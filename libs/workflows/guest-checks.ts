import { isHypervisorError, lookAtOneshot } from '#libs/hypervisor';
import type { HealthCheck, Verification } from '#libs/images';
import { sayEnd } from '#libs/kernel';
import { FIRST_BOOT } from '#libs/recipes';
import { PermanentError } from '#libs/saga';
import { secondsSinceBoot } from './boot-clock.ts';
import type { PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

export const SSH_PORT = 22;

const FIRST_BOOT_ENDS = {
  late: 'did not end in time',
  out_of_memory: 'was killed, for the server had no memory left',
} as const;

/**
 * True when SSH answers with the host key that we made. Until cloud-init has put it in place, sshd may answer with
 * none, or with one of its own.
 */
export async function answersAsItself(deps: WorkflowDeps, placed: PlacedServer): Promise<boolean> {
  const key = await deps.reach.readSshHostKey(placed.host, placed.address.ip, SSH_PORT);
  return key !== null && key === placed.server.hostKey;
}

/**
 * What can be seen of a guest by now, once it is enough for its image; `startedAt` is that of `bootsNow`. Of one that an image
 * promises nothing of, the most is taken that shows within the time that a first boot takes, for its system may read the
 * seed all the same.
 */
export async function verificationOf(
  deps: WorkflowDeps,
  placed: PlacedServer,
  startedAt: string,
): Promise<Verification | undefined> {
  const { host, server, image, address } = placed;
  if (image.verification === 'identity') {
    if (await deps.hypervisor.agentPing(host, server.domainUuid)) return 'identity';
    // What its owner brought along may have no agent: its SSH identity, which is checked next, says as much.
    const isForeign = image.appliance.isForeign === true;
    return isForeign && (await answersAsItself(deps, placed)) ? 'identity' : undefined;
  }
  if (await answersAsItself(deps, placed)) return 'identity';
  const hasSsh = await deps.reach.tcpOpen(host, address.ip, SSH_PORT);
  if (image.verification === 'ssh') return hasSsh ? 'ssh' : undefined;
  if (secondsSinceBoot(startedAt) < deps.imports.settings.settleSeconds) return undefined;
  return hasSsh ? 'ssh' : 'running';
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

/**
 * True when the first boot script of its image has ended, where there is one.
 * @throws PermanentError `first_boot_script_failed`, with how and with what it has printed last
 */
export async function hasBootedFirst(
  { hypervisor }: WorkflowDeps,
  { host, server, image }: PlacedServer,
): Promise<boolean> {
  if (!image.appliance.runsFirstBoot) return true;
  const guest = { hypervisor, host, uuid: server.domainUuid };
  const seen = await lookAtOneshot(guest, FIRST_BOOT.unit).catch((error: unknown) => {
    if (isHypervisorError(error, 'agent_not_answering', 'domain_not_running')) return undefined;
    throw error;
  });
  if (seen?.state !== 'failed') return seen?.state === 'done';
  const { end } = seen;
  const how = typeof end === 'string' ? FIRST_BOOT_ENDS[end] : sayEnd(end);
  const said = seen.lastLine === '' ? '' : `: ${seen.lastLine}`;
  throw new PermanentError('first_boot_script_failed', `the first boot script of the image ${how}${said}`);
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
