import { type DomainSpec, type HostRef, type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import type { HealthCheck, Image } from '#libs/images';
import { PermanentError } from '#libs/saga';
import type { RestoreTest, RestoreVerdict, Server } from '#libs/servers';
import { secondsSinceBoot } from './boot-clock.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** For how long what was restored may take to be as it should be. Emulated guests are slow, and no network is waited for. */
export const RESTORE_DEADLINE_SECONDS = 900;
/** The same for what was made elsewhere, where nobody promises an agent that would end the waiting. */
const FOREIGN_DEADLINE_SECONDS = 300;
/** More than a boot loader reads: a kernel was loaded from the disk. */
const KERNEL_READ_BYTES = 4 * 1024 ** 2;
const EXEC_TIMEOUT_SECONDS = 60;
const HAS_ERRORS = 3;

/** Exits 3 where a file system has noted errors, which ext4 keeps for ever; 4 where the root cannot be written to. */
const FILE_SYSTEMS = `
for count in /sys/fs/ext4/*/errors_count; do
  [ ! -e "$count" ] || [ "$(cat "$count")" = 0 ] || exit ${HAS_ERRORS}
done
probe=$(mktemp /var/tmp/XXXXXXXX) && sync && rm "$probe" || exit 4`;

/** By what Debian has without curl: bash. Arguments are positional, so nothing in them is a command. */
const TCP = 'exec 3<>"/dev/tcp/127.0.0.1/$1"';
const HTTP = `${TCP} && printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$2" >&3 &&
read -r -t 20 _ status _ <&3 && [ "$status" = "$3" ]`;

/** What was restored, where, and of which server. */
export interface Restored {
  readonly test: RestoreTest;
  readonly image: Image;
  readonly server: Server;
  /** Undefined where the server has none (any more). */
  readonly serverHost: HostRef | undefined;
  readonly spec: DomainSpec;
}

/**
 * What can be said of a machine that was started from a backup; undefined as long as it may still become better.
 * What its server does not do either, now that it runs, is not held against the backup.
 * @throws HypervisorError of the host, PermanentError `machine_gone`: they say nothing about the backup
 */
export async function lookAtRestored(
  { hypervisor }: Pick<WorkflowDeps, 'hypervisor'>,
  host: HostRef,
  { image, server, serverHost, spec }: Omit<Restored, 'test'>,
  startedAt: string,
): Promise<RestoreVerdict | undefined> {
  const restored = new Guest(hypervisor, host, spec.uuid);
  if (await restored.isGone())
    throw new PermanentError('machine_gone', 'the machine was taken away meanwhile');
  if (!(await restored.runs())) return failed('the system stopped while it was starting', []);
  const seconds = secondsSinceBoot(startedAt);
  const isOver = seconds > (image.appliance.isForeign ? FOREIGN_DEADLINE_SECONDS : RESTORE_DEADLINE_SECONDS);
  const original = new Guest(hypervisor, serverHost ?? host, server.domainUuid);
  if (!(await restored.answers())) {
    if (!isOver) return undefined;
    const hasAgent = !image.appliance.isForeign && (!(await original.runs()) || (await original.answers()));
    if (hasAgent) return failed('it was started, and its guest agent did not answer', ['started']);
    return (await hypervisor.diskReadBytes(host, spec.uuid)) >= KERNEL_READ_BYTES
      ? passed(['started', 'disk_read'])
      : failed('it was started, and no system was read from its disk', ['started']);
  }
  const found = await restored.fileSystems();
  if (found === 'errors') return failed('a file system has noted errors', ['started', 'agent']);
  if (found !== 'clean') {
    return isOver ? failed('its file system cannot be written to', ['started', 'agent']) : undefined;
  }
  const clean = ['started', 'agent', 'file_systems'] as const;
  const { healthChecks } = image.appliance;
  if (await restored.isHealthy(healthChecks)) return passed([...clean, 'health']);
  if (!isOver) return undefined;
  const isServerHealthy = !(await original.answers()) || (await original.isHealthy(healthChecks));
  return isServerHealthy ? failed('it was started, and its health check did not pass', clean) : passed(clean);
}

function passed(checks: RestoreVerdict['checks']): RestoreVerdict {
  return { failure: null, checks };
}

function failed(failure: string, checks: RestoreVerdict['checks']): RestoreVerdict {
  return { failure, checks };
}

/** A guest, seen from inside: there may be no network. */
class Guest {
  private readonly hypervisor: Hypervisor;
  private readonly host: HostRef;
  private readonly uuid: string;

  constructor(hypervisor: Hypervisor, host: HostRef, uuid: string) {
    this.hypervisor = hypervisor;
    this.host = host;
    this.uuid = uuid;
  }

  async isGone(): Promise<boolean> {
    return (await this.hypervisor.domainState(this.host, this.uuid)) === 'absent';
  }

  async runs(): Promise<boolean> {
    const state = await this.hypervisor.domainState(this.host, this.uuid);
    return state === 'running' || state === 'paused';
  }

  answers(): Promise<boolean> {
    return this.hypervisor.agentPing(this.host, this.uuid);
  }

  /** While a system starts, its root cannot be written to yet. */
  async fileSystems(): Promise<'clean' | 'errors' | 'read_only'> {
    const exitCode = await this.exitCode('/bin/sh', '-c', FILE_SYSTEMS);
    if (exitCode === 0) return 'clean';
    return exitCode === HAS_ERRORS ? 'errors' : 'read_only';
  }

  async isHealthy(checks: readonly HealthCheck[]): Promise<boolean> {
    for (const check of checks) {
      const port = String(check.port);
      const exitCode =
        check.type === 'tcp'
          ? await this.exitCode('/bin/bash', '-c', TCP, 'health', port)
          : await this.exitCode('/bin/bash', '-c', HTTP, 'health', port, check.path, String(check.status));
      if (exitCode !== 0) return false;
    }
    return true;
  }

  /** Undefined where the program could not be run to its end. */
  private async exitCode(...argv: [string, ...string[]]): Promise<number | undefined> {
    const options = { timeoutSeconds: EXEC_TIMEOUT_SECONDS };
    try {
      return (await this.hypervisor.agentExec(this.host, this.uuid, argv, options)).exitCode;
    } catch (error) {
      if (isHypervisorError(error, 'agent_not_answering', 'agent_refused')) return undefined;
      throw error;
    }
  }
}
