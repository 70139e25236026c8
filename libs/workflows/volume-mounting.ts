import { isHypervisorError } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import { linuxDevice, mountPoint } from '#libs/volumes';
import { type AttachmentContext, attachment } from './volume-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const TIMEOUT_SECONDS = 60;

/** `$1` the device, `$2` where it is mounted. What has no file system is left alone; a second time changes nothing. */
const mount = `set -eu
for try in 1 2 3 4 5 6 7 8 9 10; do [ -e "$1" ] && break; sleep 1; done
type=$(blkid -o value -s TYPE "$1" || true)
[ -n "$type" ] || exit 0
mkdir -p "$2"
grep -qsF "$1 " /etc/fstab || printf '%s %s %s discard,nofail,defaults 0 0\\n' "$1" "$2" "$type" >>/etc/fstab
grep -qsF " $2 " /proc/mounts || mount "$2"
`;

/** Unmounts all of the device, and forgets what `mount` wrote. What is in use stays mounted, and is written out. */
const unmount = `set -u
if [ -e "$1" ]; then
  real=$(readlink -f "$1")
  for try in 1 2 3; do grep -s "^$real[0-9]* " /proc/mounts | while read -r _ at _; do umount "$at"; done; done
  sync
fi
[ ! -e /etc/fstab ] || sed -i "\\\\#^$1 #d" /etc/fstab
rmdir "$2" 2>/dev/null
exit 0
`;

/** Shell programs for a guest, which may be run again and again. */
export const mountingPrograms = { mount, unmount };

type Context = AttachmentContext & Pick<StepContext<unknown, unknown, WorkflowDeps>, 'log'>;

/** Has the guest mount a volume, now and at each boot, where its agent answers. */
export function mountInGuest(ctx: Context): Promise<boolean> {
  return runInGuest(ctx, mount);
}

/** Has the guest let go of a volume, where its agent answers: what it has not written yet would be lost. */
export function unmountInGuest(ctx: Context): Promise<boolean> {
  return runInGuest(ctx, unmount);
}

/** Best effort: the volume is the guest's to use as it likes. @returns whether it did as it was asked */
async function runInGuest(ctx: Context, program: string): Promise<boolean> {
  const { server, volume, host } = await attachment(ctx);
  const { hypervisor } = ctx.deps;
  if (!host || !(await hypervisor.agentPing(host, server.domainUuid))) return false;
  const argv = ['/bin/sh', '-c', program, 'sh', linuxDevice(volume), mountPoint(volume)] as const;
  try {
    const options = { timeoutSeconds: TIMEOUT_SECONDS };
    const { exitCode } = await hypervisor.agentExec(host, server.domainUuid, [...argv], options);
    if (exitCode !== 0) ctx.log.warn({ volumeId: volume.id, exitCode }, 'a guest did not do as it was asked');
    return exitCode === 0;
  } catch (error) {
    if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused', 'domain_not_running')) throw error;
    return false;
  }
}
