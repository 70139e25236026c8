import { sleep } from '#libs/kernel';
import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';
import { type DomainRecord, readDomain, volumeControllerXml } from './domain-xml.ts';
import type { Virsh } from './virsh.ts';
import { saysNoSuchDisk } from './virsh-errors.ts';

/** What a domain is when it is started next, and what it is now; the same where it is off. */
const SCOPES = ['config', 'live'] as const;
type Scope = (typeof SCOPES)[number];

const RELEASE_PAUSE_MS = 250;

/** Plugs disks and drives into domains and out, for good: at once where they run, and whenever they are started. */
export class HotPlug {
  private readonly virsh: Virsh;
  private readonly releaseSeconds: number;

  constructor(virsh: Virsh, releaseSeconds: number) {
    this.virsh = virsh;
    this.releaseSeconds = releaseSeconds;
  }

  /** `wanted`: the device's XML; undefined where the domain has it already. */
  async in(host: HostRef, uuid: string, wanted: (record: DomainRecord) => string | undefined): Promise<void> {
    for (const scope of SCOPES) {
      const record = await this.record(host, uuid, scope);
      const device = wanted(record);
      if (device === undefined) continue;
      // Domains that were defined by an earlier release.
      if (!record.hasVolumeController) await this.attach(host, uuid, volumeControllerXml(), scope);
      await this.attach(host, uuid, device, scope);
    }
  }

  /** `targetIn`: libvirt's name of the device; undefined where the domain has none. @throws volume_in_use while the guest holds it */
  async out(
    host: HostRef,
    uuid: string,
    targetIn: (record: DomainRecord) => string | undefined,
  ): Promise<void> {
    for (const scope of SCOPES) {
      const target = targetIn(await this.record(host, uuid, scope));
      if (target !== undefined) await this.detach(host, uuid, target, scope);
    }
    const deadline = Date.now() + this.releaseSeconds * 1000;
    for (;;) {
      const held = targetIn(await this.record(host, uuid, 'live'));
      if (held === undefined) return;
      if (Date.now() > deadline) {
        const message = `The guest of domain ${uuid} on ${host.name} does not let go of ${held}.`;
        throw new HypervisorError('volume_in_use', message, { details: { host: host.name, domain: uuid } });
      }
      await sleep(RELEASE_PAUSE_MS);
    }
  }

  private async attach(host: HostRef, uuid: string, input: string, scope: Scope): Promise<void> {
    const args = ['attach-device', '--domain', uuid, '--file', '/dev/stdin', `--${scope}`];
    await offIsFine(this.virsh.run(host, args, { input }));
  }

  private async detach(host: HostRef, uuid: string, target: string, scope: Scope): Promise<void> {
    const args = ['detach-disk', '--domain', uuid, '--target', target, `--${scope}`];
    await offIsFine(this.virsh.run(host, args)).catch((error: unknown) => {
      if (!saysNoSuchDisk(error)) throw error;
    });
  }

  private async record(host: HostRef, uuid: string, scope: Scope): Promise<DomainRecord> {
    const args = ['dumpxml', '--domain', uuid, ...(scope === 'config' ? ['--inactive'] : [])];
    return readDomain(await this.virsh.run(host, args));
  }
}

async function offIsFine(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isHypervisorError(error, 'domain_not_running')) throw error;
  });
}
