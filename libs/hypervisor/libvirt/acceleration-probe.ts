import type { Acceleration, HostRef } from '../port.ts';
import type { Virsh } from './virsh.ts';

export async function probeAcceleration(_virsh: Virsh, _host: HostRef): Promise<Acceleration> {
  return { domainType: 'qemu', reason: 'not probed' };
}
