import { rm } from 'node:fs/promises';
import { findInit, hostProcesses, requireInit } from './host-processes.ts';
import type { HostLayout, LabLayout } from './layout.ts';
import { setLinked } from './network.ts';
import { signal } from './processes.ts';

/** Pulls the host's cables: guests lose the network, and clients lose libvirt. The host itself works on. */
export async function cut(lab: LabLayout, host: HostLayout): Promise<void> {
  await requireInit(lab, host);
  await setLinked(lab, host, false);
  await rm(host.socket, { force: true });
}

/** Stops every process of the host, as a machine that hangs: sockets stay open and nobody answers. */
export async function freeze(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await requireInit(lab, host);
  for (const member of await hostProcesses(init))
    if (member.pid !== init.pid) await signal(member, 'SIGSTOP');
}

/** Lets a frozen host go on; nothing happens to one that is not frozen. */
export async function thaw(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await findInit(lab, host);
  if (!init) return;
  for (const member of await hostProcesses(init)) if (member.state === 'T') await signal(member, 'SIGCONT');
}
