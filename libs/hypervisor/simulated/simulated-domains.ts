import type { AttachedVolume } from '../port/block-volumes.ts';
import type { DomainFacts, DomainSample, DomainSpec, DomainState, NetworkState } from '../port/domains.ts';
import type { HostRef } from '../port/hosts.ts';
import type { SeedDetachment } from '../port/seeds.ts';
import { checkAttachedVolume, checkDomainSpec, checkUuid, checkVolumeName } from '../specs.ts';
import type { SimulatedDomain, SimulatedFleet, SimulatedHost } from './simulated-fleet.ts';
import { cutOff, firstBoot, flushed, guestIsUp } from './simulated-guest.ts';
import { refusal, type SimulatedInventory, startsFrom, volumesOf } from './simulated-inventory.ts';

/** What a small system reads of its disk until it is up. */
const BOOT_READ_BYTES = 64 * 1024 * 1024;

/** Domains of simulated hosts, and what they run. */
export class SimulatedDomains {
  private readonly fleet: SimulatedFleet;
  private readonly inventory: SimulatedInventory;

  constructor(fleet: SimulatedFleet, inventory: SimulatedInventory) {
    this.fleet = fleet;
    this.inventory = inventory;
  }

  defineDomain(ref: HostRef, spec: DomainSpec): Promise<void> {
    return this.fleet.call(ref, 'defineDomain', (host) => {
      checkDomainSpec(spec);
      const { serverId, network = 'open', volumes = [], ...rest } = spec;
      const existing = this.fleet.domain(host.name, spec.uuid);
      const namesake = this.fleet.domains(host.name).find((domain) => domain.name === spec.name);
      if (
        (existing && !this.inventory.isOurs(existing, serverId)) ||
        (namesake && namesake.uuid !== spec.uuid)
      ) {
        throw refusal(
          host,
          'domain_exists_foreign',
          `A domain that is not ours is ${spec.name} or ${spec.uuid}.`,
        );
      }
      if (!host.firmwares.includes(spec.firmware)) {
        throw refusal(host, 'firmware_missing', `Host ${host.name} has no firmware ${spec.firmware}.`);
      }
      const rescue = [spec.rescue?.diskVolume, spec.rescue?.seedVolume];
      const own = [spec.diskVolume, spec.seedVolume];
      for (const volume of [...own, ...rescue, ...volumes.map((one) => one.volumeName)]) {
        if (volume !== undefined) this.inventory.needVolume(host, ref, volume);
      }
      const owner = { serverId, installationId: this.inventory.installationId };
      const run = {
        state: existing?.state ?? 'off',
        startedAtMs: existing?.startedAtMs ?? 0,
        heldVolumes: [],
        network,
        volumes,
      };
      this.fleet.putDomain(host.name, { ...rest, owner, ...run });
    });
  }

  undefineDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'undefineDomain', (host) => {
      if (this.inventory.ownDomain(host, uuid)) this.fleet.removeDomain(host.name, uuid);
    });
  }

  domainState(ref: HostRef, uuid: string): Promise<DomainState> {
    return this.fleet.call(ref, 'domainState', (host) => {
      checkUuid(uuid);
      return this.fleet.domain(host.name, uuid)?.state ?? 'absent';
    });
  }

  listDomains(ref: HostRef): Promise<readonly DomainFacts[]> {
    return this.fleet.call(ref, 'listDomains', (host) =>
      this.fleet.domains(host.name).map((domain) => ({
        uuid: domain.uuid,
        name: domain.name,
        state: domain.state,
        wasCutOff: domain.state === 'off' && domain.wasCutOff === true,
        owner: domain.owner,
        ours: this.inventory.isOurs(domain),
        volumes: volumesOf(domain),
        network: domain.network,
        addresses: [domain.ipv4],
      })),
    );
  }

  startDomain(ref: HostRef, uuid: string, options: { readonly paused?: boolean } = {}): Promise<void> {
    return this.fleet.call(ref, 'startDomain', (host) => {
      const domain = this.inventory.needDomain(host, uuid);
      if (domain.state === 'running' || domain.state === 'paused') return;
      const running = this.fleet.domains(host.name).filter((other) => other.state === 'running');
      const usedMib = running.reduce((sum, other) => sum + other.memoryMib, 0);
      if (usedMib + domain.memoryMib > host.memoryMib) {
        throw refusal(host, 'host_out_of_memory', `Host ${host.name} has no ${domain.memoryMib} MiB left.`);
      }
      const { diskVolume, seedVolume } = startsFrom(domain);
      const disk = this.inventory.needVolume(host, ref, diskVolume);
      this.inventory.needLayers(host, disk);
      const seed = seedVolume === undefined ? undefined : this.inventory.needVolume(host, ref, seedVolume);
      if (options.paused)
        return this.fleet.putDomain(host.name, { ...domain, state: 'paused', wasCutOff: false });
      const guest = firstBoot(domain, disk, seed);
      this.fleet.putVolume(host.name, { ...disk, guest });
      const startedAtMs = this.fleet.clock.now().getTime();
      this.fleet.putDomain(host.name, { ...domain, state: 'running', startedAtMs, wasCutOff: false });
    });
  }

  shutdownDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'shutdownDomain', (host) => {
      const domain = this.inventory.needDomain(host, uuid);
      this.writesDown(host, ref, domain, flushed);
      this.stop(host, domain);
    });
  }

  rebootDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'rebootDomain', (host) => this.restart(host, ref, uuid, flushed));
  }

  resetDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'resetDomain', (host) => this.restart(host, ref, uuid, cutOff));
  }

  destroyDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'destroyDomain', (host) => {
      const domain = this.inventory.ownDomain(host, uuid);
      if (!domain) return;
      this.writesDown(host, ref, domain, cutOff);
      this.stop(host, domain);
    });
  }

  setNetwork(ref: HostRef, uuid: string, network: NetworkState): Promise<void> {
    return this.fleet.call(ref, 'setNetwork', (host) => {
      this.fleet.putDomain(host.name, { ...this.inventory.needDomain(host, uuid), network });
    });
  }

  attachVolume(ref: HostRef, uuid: string, volume: AttachedVolume): Promise<void> {
    return this.fleet.call(ref, 'attachVolume', (host) => {
      checkAttachedVolume(volume);
      const domain = this.inventory.needDomain(host, uuid);
      const { volumeName, slot } = volume;
      this.inventory.needVolume(host, ref, volumeName);
      if (domain.volumes.some((one) => one.volumeName === volumeName)) return;
      this.inventory.refuseWhileHad(host, volumeName);
      if (domain.volumes.some((one) => one.slot === slot)) {
        throw refusal(host, 'volume_in_use', `Domain ${domain.name} has another volume in slot ${slot}.`);
      }
      this.fleet.putDomain(host.name, { ...domain, volumes: [...domain.volumes, volume] });
    });
  }

  detachVolume(ref: HostRef, uuid: string, volumeName: string): Promise<void> {
    return this.fleet.call(ref, 'detachVolume', (host) => {
      checkVolumeName(volumeName);
      const domain = this.inventory.ownDomain(host, uuid);
      if (!domain) return;
      const volumes = domain.volumes.filter((one) => one.volumeName !== volumeName);
      this.fleet.putDomain(host.name, { ...domain, volumes });
    });
  }

  insertIso(ref: HostRef, uuid: string, volumeName: string): Promise<void> {
    return this.fleet.call(ref, 'insertIso', (host) => {
      checkVolumeName(volumeName);
      const domain = this.inventory.needDomain(host, uuid);
      this.inventory.needImage(host, ref, volumeName);
      if (domain.iso !== undefined && domain.iso !== volumeName) {
        throw refusal(host, 'volume_in_use', `Domain ${domain.name} has ${domain.iso} in its CD drive.`);
      }
      this.fleet.putDomain(host.name, { ...domain, iso: volumeName });
    });
  }

  ejectIso(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'ejectIso', (host) => {
      const domain = this.inventory.ownDomain(host, uuid);
      if (!domain) return;
      const { iso: _ejected, ...rest } = domain;
      this.fleet.putDomain(host.name, rest);
    });
  }

  detachSeed(ref: HostRef, uuid: string, volumeName: string): Promise<SeedDetachment> {
    return this.fleet.call(ref, 'detachSeed', (host) => {
      checkVolumeName(volumeName);
      const domain = this.inventory.ownDomain(host, uuid);
      const held = domain?.state === 'running' && host.guestFault === 'seed_held';
      if (domain) {
        this.fleet.putDomain(host.name, {
          ...withoutSeed(domain, volumeName),
          heldVolumes: held ? [volumeName] : [],
        });
      }
      const volume = this.fleet.volume(host.name, ref.diskPool, volumeName);
      if (!held) this.fleet.removeVolume(host.name, ref.diskPool, volumeName);
      else if (volume) this.fleet.putVolume(host.name, { ...volume, seed: {} });
      return held ? 'held' : 'released';
    });
  }

  diskReadBytes(ref: HostRef, uuid: string): Promise<number> {
    return this.fleet.call(ref, 'diskReadBytes', (host) => {
      const domain = this.inventory.needDomain(host, uuid);
      if (domain.state !== 'running') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
      const hasBooted = !domain.rescue && guestIsUp(host, domain, this.fleet.clock);
      return hasBooted ? BOOT_READ_BYTES : 0;
    });
  }

  /** As of guests that idle: everything grows with the time that they have run. */
  sampleDomains(ref: HostRef): Promise<readonly DomainSample[]> {
    return this.fleet.call(ref, 'sampleDomains', (host) => {
      const now = this.fleet.clock.now().getTime();
      return this.fleet
        .domains(host.name)
        .filter(({ state }) => state === 'running')
        .map(({ uuid, startedAtMs }) => usedBy(uuid, now - startedAtMs));
    });
  }

  /** What becomes of what a guest has in its memory, by how it `ends`. */
  private writesDown(host: SimulatedHost, ref: HostRef, domain: SimulatedDomain, ends: typeof flushed): void {
    if (domain.state !== 'running') return;
    const disk = this.fleet.volume(host.name, ref.diskPool, startsFrom(domain).diskVolume);
    if (disk?.guest?.settings) this.fleet.putVolume(host.name, { ...disk, guest: ends(disk.guest) });
  }

  private stop(host: SimulatedHost, domain: SimulatedDomain): void {
    if (domain.state !== 'off') this.fleet.putDomain(host.name, { ...domain, state: 'off', heldVolumes: [] });
  }

  private restart(host: SimulatedHost, ref: HostRef, uuid: string, ends: typeof flushed): void {
    const domain = this.inventory.needDomain(host, uuid);
    if (domain.state !== 'running') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
    this.writesDown(host, ref, domain, ends);
    this.fleet.putDomain(host.name, { ...domain, startedAtMs: this.fleet.clock.now().getTime() });
  }
}

function withoutSeed(domain: SimulatedDomain, volumeName: string): SimulatedDomain {
  const { seedVolume, rescue, ...rest } = domain;
  return {
    ...rest,
    ...(seedVolume !== undefined && seedVolume !== volumeName && { seedVolume }),
    ...(rescue && { rescue: rescue.seedVolume === volumeName ? { diskVolume: rescue.diskVolume } : rescue }),
  };
}

/** A boot, and then a twentieth of a CPU, an operation and a packet each way in a second. */
function usedBy(uuid: string, ranMilliseconds: number): DomainSample {
  const times = 1 + Math.max(0, Math.floor(ranMilliseconds / 1000));
  return {
    uuid,
    cpuMilliseconds: 50 * times,
    diskReads: times,
    diskWrites: times,
    diskReadBytes: BOOT_READ_BYTES + 4096 * times,
    diskWrittenBytes: 4096 * times,
    packetsIn: times,
    packetsOut: times,
    bytesIn: 64 * times,
    bytesOut: 64 * times,
  };
}
