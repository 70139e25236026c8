import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { FreezeSpec, Frozen, HostRef, Merge } from '../port.ts';
import { checkFreezeSpec } from '../specs.ts';
import { type DomainRecord, isOwnDisk } from './domain-xml.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtGuestAgent } from './libvirt-guest-agent.ts';
import type { LibvirtVolumes } from './libvirt-volumes.ts';
import type { Virsh } from './virsh.ts';

const FREEZE_TIMEOUT_SECONDS = 120;
/** For what the guest has not written yet; what is left of it then is written while it is held. */
const SYNC_TIMEOUT_SECONDS = 60;

/** The layers that a domain's disk stands on: one more at each freeze, fewer by merging, and the guest runs on. */
export class LibvirtLayers {
  private readonly virsh: Virsh;
  private readonly domains: LibvirtDomains;
  private readonly volumes: LibvirtVolumes;
  private readonly agent: LibvirtGuestAgent;

  constructor(virsh: Virsh, domains: LibvirtDomains, volumes: LibvirtVolumes, agent: LibvirtGuestAgent) {
    this.virsh = virsh;
    this.domains = domains;
    this.volumes = volumes;
    this.agent = agent;
  }

  async freeze(host: HostRef, uuid: string, spec: FreezeSpec): Promise<Frozen> {
    checkFreezeSpec(spec);
    const record = await this.domains.need(host, uuid);
    const disk = diskOf(record);
    const isRunning = await this.isRunning(host, uuid);
    if (disk?.volume !== spec.frozenVolume && !(isRunning && disk?.volume === spec.nextVolume)) {
      const message = `Domain ${record.name} on ${host.name} does not have disk ${spec.frozenVolume}.`;
      throw new HypervisorError('volume_missing', message, { details: { host: host.name } });
    }
    const path = await this.volumes.layOver(host, spec);
    if (!isRunning) return { consistency: 'as_left', heldMilliseconds: null };
    if (disk.volume === spec.nextVolume) return { consistency: 'crash', heldMilliseconds: null };
    await this.endMerge(host, uuid, disk.target);
    return this.switchOver(host, record, disk.target, path);
  }

  async merge(host: HostRef, uuid: string): Promise<Merge> {
    const disk = diskOf(await this.domains.need(host, uuid));
    if (!(await this.isRunning(host, uuid))) return { state: 'waiting' };
    const lowest = disk?.layers.at(-1);
    if (!disk || disk.layers.length < 2 || lowest === undefined) return { state: 'merged' };
    const job = await this.job(host, uuid, disk.target);
    if (job) return { state: 'merging', ...job };
    const base = ['--base', `${disk.target}[${lowest}]`];
    await this.virsh.run(host, ['blockpull', '--domain', uuid, '--path', disk.target, ...base]);
    const begun = await this.job(host, uuid, disk.target);
    return { state: 'merging', ...(begun ?? { doneBytes: 0, totalBytes: 0 }) };
  }

  /** What can be synced is, before the guest is held for the rest: so it is held for moments. */
  private async switchOver(
    host: HostRef,
    { uuid, disks }: DomainRecord,
    own: string,
    path: string,
  ): Promise<Frozen> {
    const others = disks.filter(({ target }) => target !== own).map(({ target }) => target);
    const args = [
      ...['snapshot-create-as', '--domain', uuid, '--disk-only', '--atomic', '--no-metadata'],
      ...['--reuse-external', '--diskspec', `${own},snapshot=external,file=${path.replaceAll(',', ',,')}`],
      ...others.flatMap((target) => ['--diskspec', `${target},snapshot=no`]),
    ];
    const limit = { timeoutSeconds: FREEZE_TIMEOUT_SECONDS };
    if (await this.agent.ping(host, uuid)) {
      const sync = this.agent.exec(host, uuid, ['/bin/sync'], { timeoutSeconds: SYNC_TIMEOUT_SECONDS });
      await sync.catch(ofTheAgent);
      const begun = performance.now();
      try {
        await this.virsh.run(host, [...args, '--quiesce'], limit);
        return { consistency: 'filesystem', heldMilliseconds: since(begun) };
      } catch (error) {
        await this.virsh.run(host, ['domfsthaw', '--domain', uuid]).catch(ofTheAgent);
        ofTheAgent(error);
      }
    }
    const begun = performance.now();
    await this.virsh.run(host, args, limit);
    return { consistency: 'crash', heldMilliseconds: since(begun) };
  }

  /** A freeze does not wait for the merging of layers, which goes on with the layers that there are then. */
  private async endMerge(host: HostRef, uuid: string, target: string): Promise<void> {
    if (!(await this.job(host, uuid, target))) return;
    const abort = ['blockjob', '--domain', uuid, '--path', target, '--abort'];
    await this.virsh.run(host, abort).catch(async (error: unknown) => {
      if (await this.job(host, uuid, target)) throw error;
    });
  }

  private async job(
    host: HostRef,
    uuid: string,
    target: string,
  ): Promise<{ doneBytes: number; totalBytes: number } | undefined> {
    const said = await this.virsh.run(host, [
      ...['blockjob', '--domain', uuid, '--path', target, '--info', '--raw'],
    ]);
    const [, done] = /\bcur=(\d+)/.exec(said) ?? [];
    const [, total] = /\bend=(\d+)/.exec(said) ?? [];
    return total === undefined ? undefined : { doneBytes: Number(done), totalBytes: Number(total) };
  }

  private async isRunning(host: HostRef, uuid: string): Promise<boolean> {
    const state = await this.domains.state(host, uuid);
    return state === 'running' || state === 'paused';
  }
}

function diskOf({ disks }: DomainRecord): DomainRecord['disks'][number] | undefined {
  return disks.find(({ target }) => isOwnDisk(target));
}

function since(begun: number): number {
  return Math.round(performance.now() - begun);
}

/** The guest's own troubles don't stop a freeze. @throws every other error */
function ofTheAgent(error: unknown): void {
  if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused')) throw error;
}
