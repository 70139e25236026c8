import { sleep } from '#libs/kernel';
import { isHypervisorError } from '../hypervisor.errors.ts';
import type { Acceleration, HostRef } from '../port.ts';
import { planProbe, probeDisk, probeDomainXml } from './probe-guest.ts';
import type { Virsh } from './virsh.ts';
import { volumeXml } from './volume-xml.ts';

const DEADLINE_SECONDS = 20;
const PAUSE_MS = 250;

/**
 * Boots the probe guest under KVM, the way servers boot: BIOS, virtio disk, then 64-bit code, which at last
 * switches the machine off. Only a guest that got that far ends as `shut off (shutdown)`; one that hangs,
 * crashes or resets does not, and `/dev/kvm` being there says nothing.
 */
export async function probeAcceleration(
  virsh: Virsh,
  host: HostRef,
  installationId: string,
): Promise<Acceleration> {
  const plan = planProbe(host, installationId);
  try {
    const disk = probeDisk();
    const size = { capacityBytes: disk.length, allocationBytes: 0, format: 'raw' as const };
    const input = volumeXml({ name: plan.volumeName, ...size });
    await virsh.run(host, ['vol-create', '--pool', host.diskPool, '--file', '/dev/stdin'], { input });
    const upload = ['vol-upload', '--pool', host.diskPool, '--vol', plan.volumeName, '--file', '/dev/stdin'];
    await virsh.run(host, upload, { input: disk });
    await virsh.run(host, ['define', '--file', '/dev/stdin'], { input: probeDomainXml(plan) });
    await virsh.run(host, ['start', '--domain', plan.uuid]);
    const end = await waitForEnd(virsh, host, plan.uuid);
    if (end === 'shut off (shutdown)') {
      return { domainType: 'kvm', reason: 'a probe guest ran under KVM to its end' };
    }
    const reason = `a probe guest under KVM did not run to its end within ${DEADLINE_SECONDS} s (it is: ${end})`;
    return { domainType: 'qemu', reason };
  } catch (error) {
    return { domainType: 'qemu', reason: whyNoKvm(error) };
  } finally {
    await virsh.script(host, [
      ['destroy', '--domain', plan.uuid],
      ['undefine', '--domain', plan.uuid],
      ['vol-delete', '--pool', host.diskPool, '--vol', plan.volumeName],
    ]);
  }
}

async function waitForEnd(virsh: Virsh, host: HostRef, uuid: string): Promise<string> {
  const deadline = Date.now() + DEADLINE_SECONDS * 1000;
  for (;;) {
    const state = (await virsh.run(host, ['domstate', '--domain', uuid, '--reason'])).trim();
    if (!state.startsWith('running') || Date.now() > deadline) return state;
    await sleep(PAUSE_MS);
  }
}

/** The host refusing a KVM guest is an answer; a host out of reach or out of order is none. */
function whyNoKvm(error: unknown): string {
  if (!isHypervisorError(error, 'host_refused')) throw error;
  return `the host starts no guest under KVM: ${String(error.details.said)}`;
}
