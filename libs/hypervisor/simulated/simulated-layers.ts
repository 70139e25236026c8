import { mibToKib } from '#libs/kernel';
import type { FreezeSpec, Frozen, Merge, ResumeSpec } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkFreezeSpec, checkResumeSpec } from '../specs.ts';
import type { SimulatedDomain, SimulatedFleet, SimulatedHost, SimulatedVolume } from './simulated-fleet.ts';
import { refusal, type SimulatedInventory, volumesOf } from './simulated-inventory.ts';
import type { SimulatedVolumes } from './simulated-volumes.ts';

/** What lies beneath the disks of simulated domains, and memory that was kept with it. */
export class SimulatedLayers {
  private readonly fleet: SimulatedFleet;
  private readonly inventory: SimulatedInventory;
  private readonly volumes: SimulatedVolumes;

  constructor(fleet: SimulatedFleet, inventory: SimulatedInventory, volumes: SimulatedVolumes) {
    this.fleet = fleet;
    this.inventory = inventory;
    this.volumes = volumes;
  }

  freezeDisk(ref: HostRef, uuid: string, spec: FreezeSpec): Promise<Frozen> {
    return this.fleet.call(ref, 'freezeDisk', (host) => {
      checkFreezeSpec(spec);
      const { frozenVolume, nextVolume, memoryVolume } = spec;
      const domain = this.inventory.needDomain(host, uuid);
      const isRunning = domain.state === 'running';
      if (domain.diskVolume !== frozenVolume && !(isRunning && domain.diskVolume === nextVolume)) {
        throw refusal(host, 'volume_missing', `Domain ${domain.name} does not have disk ${frozenVolume}.`);
      }
      const beneath = this.inventory.needVolume(host, ref, frozenVolume);
      this.volumes.lay(host, ref, nextVolume, beneath.capacityBytes, beneath);
      if (!isRunning) return { consistency: 'as_left', heldMilliseconds: null, hasMemory: false };
      const isDone = domain.diskVolume === nextVolume;
      if (memoryVolume !== undefined && !isDone) this.keepMemory(host, ref, domain, memoryVolume);
      const hasMemory =
        memoryVolume !== undefined && this.fleet.volume(host.name, ref.diskPool, memoryVolume) !== undefined;
      if (isDone) return { consistency: 'crash', heldMilliseconds: null, hasMemory };
      this.fleet.putDomain(host.name, { ...domain, diskVolume: nextVolume });
      if (hasMemory) return { consistency: 'crash', heldMilliseconds: null, hasMemory };
      const consistency = this.inventory.agentIsUp(host, domain) ? 'filesystem' : 'crash';
      return { consistency, heldMilliseconds: 0, hasMemory };
    });
  }

  resumeDomain(ref: HostRef, uuid: string, spec: ResumeSpec): Promise<void> {
    return this.fleet.call(ref, 'resumeDomain', (host) => {
      checkResumeSpec(spec);
      const domain = this.inventory.needDomain(host, uuid);
      if (domain.state === 'running' && domain.diskVolume === spec.diskVolume) return;
      const { memory } = this.inventory.needVolume(host, ref, spec.memoryVolume);
      this.inventory.needVolume(host, ref, spec.diskVolume);
      if (memory?.vcpus !== domain.vcpus || memory.memoryMib !== domain.memoryMib) {
        throw refusal(
          host,
          'memory_of_another_size',
          `${spec.memoryVolume} is of a machine of another size.`,
        );
      }
      const { startedAtMs } = memory;
      this.fleet.putDomain(host.name, {
        ...domain,
        diskVolume: spec.diskVolume,
        state: 'running',
        wasCutOff: false,
        startedAtMs,
      });
    });
  }

  mergeLayers(ref: HostRef, uuid: string): Promise<Merge> {
    return this.fleet.call(ref, 'mergeLayers', (host) => {
      const domain = this.inventory.needDomain(host, uuid);
      if (domain.state !== 'running' && domain.state !== 'paused') return { state: 'waiting' };
      const disk = this.inventory.needVolume(host, ref, domain.diskVolume);
      const [lowest] = this.layersBelow(host, disk).slice(-1);
      if (lowest) {
        const backing = { pool: lowest.pool, name: lowest.name };
        this.fleet.putVolume(host.name, { ...disk, backing });
      }
      return { state: 'merged' };
    });
  }

  private keepMemory(host: SimulatedHost, ref: HostRef, domain: SimulatedDomain, name: string): void {
    if (volumesOf(domain).length > 1) {
      throw refusal(host, 'domain_has_other_disks', `Domain ${domain.name} has other disks than its own.`);
    }
    const sizeBytes = mibToKib(domain.memoryMib) * 1024;
    const { vcpus, memoryMib, startedAtMs } = domain;
    const sizes = { capacityBytes: sizeBytes, allocationBytes: sizeBytes };
    const memory = { vcpus, memoryMib, startedAtMs };
    this.fleet.putVolume(host.name, { name, pool: ref.diskPool, ...sizes, memory });
  }

  private layersBelow(host: SimulatedHost, { backing }: SimulatedVolume): SimulatedVolume[] {
    const beneath = backing && this.fleet.volume(host.name, backing.pool, backing.name);
    return beneath ? [beneath, ...this.layersBelow(host, beneath)] : [];
  }
}
