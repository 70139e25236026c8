import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { FreezeSpec, Frozen, Merge } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkFreezeSpec } from '../specs.ts';
import { type DomainRecord, isOwnDisk } from './domain-xml.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtGuestAgent } from './libvirt-guest-agent.ts';
import { type LibvirtMemory, MEMORY_TIMEOUT_SECONDS } from './libvirt-memory.ts';
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
  private readonly memory: LibvirtMemory;

  constructor(
    virsh: Virsh,
    domains: LibvirtDomains,
    volumes: LibvirtVolumes,
    agent: LibvirtGuestAgent,
    memory: LibvirtMemory,
  ) {
    this.virsh = virsh;
    this.domains = domains;
    this.volumes = volumes;
    this.agent = agent;
    this.memory = memory;
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
    const { memoryVolume } = spec;
    if (!isRunning) return { consistency: 'as_left', heldMilliseconds: null, hasMemory: false };
    if (disk.volume === spec.nextVolume) {
      const hasMemory = memoryVolume !== undefined && (await this.volumes.exists(host, memoryVolume));
      return { consistency: 'crash', heldMilliseconds: null, hasMemory };
    }
    await this.endMerge(host, uuid, disk.target);
    if (memoryVolume === undefined) return this.switchOver(host, record, disk.target, path);
    return this.keepMemory(host, record, memoryVolume, path);
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

  /** Disk and memory at one moment: the guest cannot be quiesced for it, and needs not be. */
  private async keepMemory(
    host: HostRef,
    record: DomainRecord,
    memoryVolume: string,
    path: string,
  ): Promise<Frozen> {
    const memory = await this.memory.argumentsFor(host, record, memoryVolume, path);
    await this.sync(host, record.uuid);
    const args = [...snapshotArguments(record, diskOf(record)?.target ?? '', path), ...memory];
    await this.virsh.run(host, args, { timeoutSeconds: MEMORY_TIMEOUT_SECONDS });
    return { consistency: 'crash', heldMilliseconds: null, hasMemory: true };
  }

  /** @returns whether the guest's agent answers, be it that it could not sync */
  private async sync(host: HostRef, uuid: string): Promise<boolean> {
    try {
      await this.agent.exec(host, uuid, ['/bin/sync'], { timeoutSeconds: SYNC_TIMEOUT_SECONDS });
      return true;
    } catch (error) {
      ofTheAgent(error);
      return this.agent.ping(host, uuid);
    }
  }

  /** What can be synced is, before the guest is held for the rest: so it is held for moments. */
  private async switchOver(host: HostRef, record: DomainRecord, own: string, path: string): Promise<Frozen> {
    const { uuid } = record;
    const args = [...snapshotArguments(record, own, path), '--disk-only'];
    const limit = { timeoutSeconds: FREEZE_TIMEOUT_SECONDS };
    if (await this.sync(host, uuid)) {
      const begun = performance.now();
      try {
        await this.virsh.run(host, [...args, '--quiesce'], limit);
        return { consistency: 'filesystem', heldMilliseconds: since(begun), hasMemory: false };
      } catch (error) {
        await this.virsh.run(host, ['domfsthaw', '--domain', uuid]).catch(ofTheAgent);
        ofTheAgent(error);
      }
    }
    const begun = performance.now();
    await this.virsh.run(host, args, limit);
    return { consistency: 'crash', heldMilliseconds: since(begun), hasMemory: false };
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

/** The domain's own disk goes on in the overlay at `path`; its other disks stay as they are. */
function snapshotArguments({ uuid, disks }: DomainRecord, own: string, path: string): string[] {
  const others = disks.filter(({ target }) => target !== own).map(({ target }) => target);
  return [
    ...['snapshot-create-as', '--domain', uuid, '--atomic', '--no-metadata', '--reuse-external'],
    ...['--diskspec', `${own},snapshot=external,file=${path.replaceAll(',', ',,')}`],
    ...others.flatMap((target) => ['--diskspec', `${target},snapshot=no`]),
  ];
}

function since(begun: number): number {
  return Math.round(performance.now() - begun);
}

/** The guest's own troubles don't stop a freeze. @throws every other error */
function ofTheAgent(error: unknown): void {
  if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused')) throw error;
}
