import { HypervisorError, type HypervisorErrorCode } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly code: HypervisorErrorCode;
  readonly advice: string;
}

/**
 * virsh gives no error numbers, but libvirt's texts in the C locale begin with a fixed phrase for each number
 * (virErrorMsgTable). This table is the only place that reads them. The first rule that matches counts.
 */
const RULES: readonly Rule[] = [
  rule(
    /Host key verification failed|Permission denied \(|authentication (failed|unavailable)/i,
    'host_misconfigured',
    'the host refuses our identity: give it our key and know its host key',
  ),
  rule(/failed to connect to the hypervisor/, 'host_unreachable', 'the host does not answer'),
  rule(
    /End of file while|Cannot (recv|write|read) data|client socket is closed|Disconnected from|keepalive timeout|Connection reset/,
    'host_unreachable',
    'the connection to the host broke',
  ),
  rule(
    /No space left on device|Not enough (free )?space|Disk quota exceeded/i,
    'pool_full',
    'the storage pool is full',
  ),
  rule(
    /Cannot allocate memory|cannot set up guest memory/i,
    'host_out_of_memory',
    'the host has too little memory left',
  ),
  rule(
    /Storage pool not found|failed to get pool|storage pool .*is not active/,
    'host_misconfigured',
    'a storage pool is missing or not started',
  ),
  rule(
    /Network filter not found|nwfilter '.*'|Could not find filter/,
    'host_misconfigured',
    'a network filter is missing',
  ),
  rule(
    /Unable to find (any firmware|'efi' firmware)|firmware .*not (available|supported)|OVMF/i,
    'firmware_missing',
    'it has no UEFI firmware for this guest: install ovmf there',
  ),
  rule(
    /Cannot get interface MTU|Unable to add bridge|Unable to add port .* to bridge|ebtables/,
    'host_misconfigured',
    'the bridge or the network filter cannot be used',
  ),
  rule(
    /Guest agent is not responding|QEMU guest agent is not c|Guest agent command timed out/i,
    'agent_not_answering',
    'the guest agent does not answer',
  ),
  rule(
    /unable to execute QEMU agent command|guest agent command failed/i,
    'agent_refused',
    'the guest agent refused',
  ),
  rule(/Domain not found|failed to get domain/, 'domain_missing', 'there is no such domain'),
  rule(
    /domain .*already (exists|defined)|is already (being )?(defined|in use)/,
    'domain_exists_foreign',
    'another domain has this name or UUID',
  ),
  rule(
    /Active (console session|channel stream) exists|is locked by lock file/,
    'console_busy',
    'somebody has this console open',
  ),
  rule(/domain is not running/, 'domain_not_running', 'the domain is not running'),
  rule(
    /is still in use|is still being allocated|has asynchronous jobs|volume .*in use|Failed to get .?write.? lock/i,
    'volume_in_use',
    'the volume is in use',
  ),
  rule(
    /Storage volume not found|failed to get vol|Cannot access (storage|backing) file|no storage vol|Could not open '[^']*': No such file/,
    'volume_missing',
    'a volume is missing',
  ),
];

function rule(pattern: RegExp, code: HypervisorErrorCode, advice: string): Rule {
  return { pattern, code, advice };
}

/** Turns what virsh said into one of our codes. `said` is for the operator's log and is cut short. */
export function classify(host: HostRef, stderr: string, command: string): HypervisorError {
  const said = stderr
    .replace(/^error: /gm, '')
    .trim()
    .slice(0, 1000);
  const found = RULES.find(({ pattern }) => pattern.test(said));
  const code = found?.code ?? 'host_refused';
  const advice = found?.advice ?? 'the host refused';
  const details = { host: host.name, command, said };
  return new HypervisorError(code, `${command} on ${host.name}: ${advice}.`, { details });
}

/** The host already has a volume of that name: expected where a call is repeated. */
export function saysVolumeExists(error: unknown): boolean {
  return said(
    error,
    /storage volume.*(exists already|already in use|already exists)|volume target path .* already exists/i,
  );
}

/** The pool cannot be looked at anew yet: volumes are being made in it. */
export function saysPoolHasJobs(stderr: string): boolean {
  return /has asynchronous jobs/.test(stderr);
}

/** The domain is already as asked. */
export function saysAlreadyRunning(error: unknown): boolean {
  return said(error, /already (active|running)/i);
}

/** The domain has no such disk (any more). */
export function saysNoSuchDisk(error: unknown): boolean {
  return said(
    error,
    /No disk found whose source path or target is|no target device|disk .*not found|device not found/i,
  );
}

function said(error: unknown, pattern: RegExp): boolean {
  return error instanceof HypervisorError && pattern.test(String(error.details.said ?? ''));
}
