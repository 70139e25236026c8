import { sleep } from '#libs/kernel';
import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { Acceleration, HostRef } from '../port/hosts.ts';
import { type ProbePlan, planProbe, probeDisk, probeDomainXml } from './probe-guest.ts';
import type { Virsh } from './virsh.ts';
import { volumeXml } from './volume-xml.ts';

const DEADLINE_SECONDS = 20;
const PAUSE_MS = 250;
/** libvirt's words for a machine that its own guest switched off. */
const RAN_TO_ITS_END = 'shut off (shutdown)';
/** A guest that has switched itself off is `in shutdown` until its process has ended. */
const NOT_AT_ITS_END = /^(running|in shutdown)\b/;

/** How much longer than under emulation a guest may run under a KVM that works: the noise of two starts. */
const KVM_SLACK_MS = 1000;

interface ProbeRun {
  /** How the guest ended, or why it did not begin, in libvirt's words. */
  readonly end: string;
  readonly milliseconds: number;
}

/**
 * Boots the probe guest the way servers boot: BIOS, virtio disk, then 64-bit code, which at last switches the
 * machine off. Under KVM and under emulation: a host which runs nothing at all is no host, and a KVM that is
 * slower than emulation is one that breaks under a real kernel, though so small a guest may get through it.
 * `/dev/kvm` being there says nothing.
 */
export async function probeAcceleration(
  virsh: Virsh,
  host: HostRef,
  installationId: string,
): Promise<Acceleration> {
  const underKvm = await timedProbe(virsh, host, planProbe(host, installationId, 'kvm'));
  const emulated = await timedProbe(virsh, host, planProbe(host, installationId, 'qemu'));
  const failure = kvmFailure(underKvm, emulated);
  if (failure === undefined) {
    return { domainType: 'kvm', reason: 'a probe guest ran under KVM to its end' };
  }
  if (emulated.end === RAN_TO_ITS_END) {
    return { domainType: 'qemu', reason: `a probe guest ran by emulation, and not under KVM: ${failure}` };
  }
  const message =
    `Host ${host.name} runs no guest, neither under KVM (${underKvm.end}) nor by emulation (${emulated.end}). ` +
    `See the log of the domain servery-probe-… in /var/log/libvirt/qemu on the host.`;
  throw new HypervisorError('host_misconfigured', message, {
    details: { host: host.name, underKvm: underKvm.end, emulated: emulated.end },
  });
}

function kvmFailure(underKvm: ProbeRun, emulated: ProbeRun): string | undefined {
  if (underKvm.end !== RAN_TO_ITS_END) return underKvm.end;
  if (emulated.end !== RAN_TO_ITS_END || underKvm.milliseconds <= emulated.milliseconds + KVM_SLACK_MS)
    return undefined;
  const seconds = ({ milliseconds }: ProbeRun) => (milliseconds / 1000).toFixed(1);
  return `it took ${seconds(underKvm)} s there, and ${seconds(emulated)} s by emulation`;
}

async function timedProbe(virsh: Virsh, host: HostRef, plan: ProbePlan): Promise<ProbeRun> {
  const started = performance.now();
  const end = await runProbe(virsh, host, plan);
  return { end, milliseconds: performance.now() - started };
}

/** How the probe guest ended, or why it did not begin, in libvirt's words. */
async function runProbe(virsh: Virsh, host: HostRef, plan: ProbePlan): Promise<string> {
  const toPool = ['--pool', host.diskPool];
  try {
    const disk = probeDisk();
    const size = { capacityBytes: disk.length, allocationBytes: 0, format: 'raw' as const };
    const volume = volumeXml({ name: plan.volumeName, ...size });
    await virsh.run(host, ['vol-create', ...toPool, '--file', '/dev/stdin'], { input: volume });
    const upload = ['vol-upload', ...toPool, '--vol', plan.volumeName, '--file', '/dev/stdin'];
    await virsh.run(host, upload, { input: disk });
    await virsh.run(host, ['define', '--file', '/dev/stdin'], { input: probeDomainXml(plan) });
    await virsh.run(host, ['start', '--domain', plan.uuid]);
    return await waitForEnd(virsh, host, plan.uuid);
  } catch (error) {
    if (isHypervisorError(error, 'host_refused')) return String(error.details.said);
    throw error;
  } finally {
    await virsh.script(host, [
      ['destroy', '--domain', plan.uuid],
      ['undefine', '--domain', plan.uuid],
      ['vol-delete', ...toPool, '--vol', plan.volumeName],
    ]);
  }
}

async function waitForEnd(virsh: Virsh, host: HostRef, uuid: string): Promise<string> {
  const deadline = Date.now() + DEADLINE_SECONDS * 1000;
  for (;;) {
    const state = (await virsh.run(host, ['domstate', '--domain', uuid, '--reason'])).trim();
    if (!NOT_AT_ITS_END.test(state)) return state;
    if (Date.now() > deadline) return `it did not end within ${DEADLINE_SECONDS} s`;
    await sleep(PAUSE_MS);
  }
}
