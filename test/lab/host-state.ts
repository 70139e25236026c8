import { findInit, hostProcesses } from './host-processes.ts';
import type { HostLayout, LabLayout } from './layout.ts';
import { isLinked } from './network.ts';
import { tryRun } from './run.ts';

/** What a host is, seen from outside: `off` has no process; `unresponsive` is on and libvirt does not answer. */
export type HostState = 'running' | 'off' | 'cut' | 'frozen' | 'unresponsive';

export async function hostState(lab: LabLayout, host: HostLayout): Promise<HostState> {
  const init = await findInit(lab, host);
  if (!init) return 'off';
  const libvirtd = (await hostProcesses(init)).find((member) => member.argv[0] === 'libvirtd');
  if (libvirtd?.state === 'T') return 'frozen';
  if (!(await isLinked(lab, host))) return 'cut';
  return (await answers(host)) ? 'running' : 'unresponsive';
}

/** Number of guests that run on the host now. */
export async function guestCount(lab: LabLayout, host: HostLayout): Promise<number> {
  const init = await findInit(lab, host);
  if (!init) return 0;
  return (await hostProcesses(init)).filter((member) => member.argv[0]?.includes('qemu-system')).length;
}

/** Whether libvirt can be reached and answers within seconds. */
export async function answers(host: HostLayout): Promise<boolean> {
  return (await tryRun('virsh', ['-c', host.uri, 'uri'], 5)) !== undefined;
}
