import type { HostRef } from '../port/hosts.ts';
import type { Virsh } from './virsh.ts';
import { saysVolumeExists } from './virsh-errors.ts';
import { type VolumePlan, volumeXml } from './volume-xml.ts';

const MARK_BYTES = 512;

/** @throws HypervisorError, of which `saysVolumeExists` knows that the name is taken */
export async function createVolume(
  virsh: Virsh,
  host: HostRef,
  pool: string,
  plan: VolumePlan,
): Promise<void> {
  await virsh.run(host, ['vol-create', '--pool', pool, '--file', '/dev/stdin'], { input: volumeXml(plan) });
}

/** The same where being there is success. */
export async function makeVolume(virsh: Virsh, host: HostRef, pool: string, plan: VolumePlan): Promise<void> {
  await createVolume(virsh, host, pool, plan).catch((error: unknown) => {
    if (!saysVolumeExists(error)) throw error;
  });
}

/** An empty volume whose name is all that it says. Being there is success. */
export function makeMark(virsh: Virsh, host: HostRef, pool: string, name: string): Promise<void> {
  return makeVolume(virsh, host, pool, {
    name,
    capacityBytes: MARK_BYTES,
    allocationBytes: 0,
    format: 'raw',
  });
}
