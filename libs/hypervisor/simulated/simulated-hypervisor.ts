import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, copyFile, rename, writeFile } from 'node:fs/promises';
import { gibToBytes, mibToKib } from '#libs/kernel';
import { diskTooSmall, HypervisorError, type HypervisorErrorCode } from '../hypervisor.errors.ts';
import { verifyImageFile } from '../image-file.ts';
import type {
  Acceleration,
  AgentExecOptions,
  AgentExecResult,
  AttachedVolume,
  BlockVolumeSpec,
  CopyOptions,
  DomainFacts,
  DomainSample,
  DomainSpec,
  DomainState,
  FreezeSpec,
  Frozen,
  GrowSpec,
  HostFacts,
  HostRef,
  Hypervisor,
  ImageFacts,
  ImageFile,
  Merge,
  NetworkState,
  OnProgress,
  OverlayBase,
  OverlaySpec,
  ResumeSpec,
  SeedDetachment,
  SeedSpec,
  VolumeCopy,
  VolumeFacts,
} from '../port.ts';
import { renderSeed } from '../seed-documents.ts';
import {
  checkAttachedVolume,
  checkBlockVolumeSpec,
  checkDomainSpec,
  checkFreezeSpec,
  checkGrowSpec,
  checkImageFile,
  checkLogin,
  checkOverlaySpec,
  checkResumeSpec,
  checkSeedSpec,
  checkUuid,
  checkVolumeCopy,
  checkVolumeName,
} from '../specs.ts';
import { emptyQcow2 } from './empty-qcow2.ts';
import { runOnBlocks } from './simulated-blocks.ts';
import type { SimulatedDomain, SimulatedFleet, SimulatedHost, SimulatedVolume } from './simulated-fleet.ts';
import { firstBoot, guestIsUp, runProgram } from './simulated-guest.ts';
import { bootIdOf, FRESH_SOFTWARE, runOwnProgram } from './simulated-programs.ts';

/** What an empty overlay takes: a qcow2 header and its first tables. */
const EMPTY_OVERLAY_BYTES = 196_608;
const SEED_BYTES = 65_536;
/** What a small system reads of its disk until it is up. */
const BOOT_READ_BYTES = 64 * 1024 * 1024;

/** The port over a SimulatedFleet: fleets of thousands, and faults on demand. Runs nothing. */
export class SimulatedHypervisor implements Hypervisor {
  private readonly fleet: SimulatedFleet;
  private readonly installationId: string;
  private readonly isolatedAllows: readonly string[];

  /** `isolatedAllows`: single addresses. */
  constructor(fleet: SimulatedFleet, installationId: string, isolatedAllows: readonly string[] = []) {
    this.fleet = fleet;
    this.installationId = installationId;
    this.isolatedAllows = isolatedAllows;
  }

  inspectHost(ref: HostRef): Promise<HostFacts> {
    return this.fleet.call(ref, 'inspectHost', (host) => {
      const space = { capacityBytes: gibToBytes(host.diskGib), freeBytes: this.fleet.freeBytes(host) };
      return {
        libvirtVersion: '0.0.0',
        hypervisorVersion: 'simulated',
        hostUuid: host.hostUuid,
        hostname: host.name,
        architecture: 'x86_64',
        vcpus: host.vcpus,
        memoryMib: host.memoryMib,
        firmwares: host.firmwares,
        imagePool: { name: ref.imagePool, ...space },
        diskPool: { name: ref.diskPool, ...space },
      };
    });
  }

  probeAcceleration(ref: HostRef): Promise<Acceleration> {
    return this.fleet.call(ref, 'probeAcceleration', (host) => host.acceleration);
  }

  importImage(ref: HostRef, image: ImageFile, onProgress?: OnProgress): Promise<void> {
    return this.fleet.call(ref, 'importImage', async (host) => {
      checkImageFile(image);
      const existing = this.fleet.volume(host.name, ref.imagePool, image.volumeName);
      if (existing?.image?.sha256 === image.sha256) return;
      if (existing)
        throw refusal(host, 'volume_exists_foreign', `Another volume is called ${image.volumeName}.`);
      const sizeBytes = await verifyImageFile(image);
      this.needSpace(host, sizeBytes);
      const { volumeName, sha256, virtualSizeBytes } = image;
      await copyFile(image.path, this.fleet.imagePath(host.name, volumeName));
      this.fleet.putVolume(host.name, {
        name: volumeName,
        pool: ref.imagePool,
        capacityBytes: virtualSizeBytes,
        allocationBytes: sizeBytes,
        image: { volumeName, sha256, virtualSizeBytes },
      });
      onProgress?.(sizeBytes, sizeBytes);
    });
  }

  listImages(ref: HostRef): Promise<readonly ImageFacts[]> {
    return this.fleet.call(ref, 'listImages', (host) => {
      const volumes = this.fleet.volumes(host.name).filter((volume) => volume.pool === ref.imagePool);
      return volumes.flatMap((volume) => volume.image ?? []);
    });
  }

  downloadImage(ref: HostRef, volumeName: string, toPath: string, options: CopyOptions = {}): Promise<void> {
    return this.fleet.call(ref, 'downloadImage', async (host) => {
      checkVolumeName(volumeName);
      const { allocationBytes } = this.beneath(host, ref, { image: volumeName });
      await copyFile(this.fleet.imagePath(host.name, volumeName), `${toPath}.half`);
      await chmod(`${toPath}.half`, 0o600);
      await rename(`${toPath}.half`, toPath);
      options.onProgress?.(allocationBytes, allocationBytes);
    });
  }

  deleteImage(ref: HostRef, volumeName: string): Promise<void> {
    return this.fleet.call(ref, 'deleteImage', (host) => {
      checkVolumeName(volumeName);
      const overlay = this.fleet
        .volumes(host.name)
        .find(({ backing }) => backing?.pool === ref.imagePool && backing.name === volumeName);
      if (overlay) throw refusal(host, 'image_in_use', `Disk ${overlay.name} stands on image ${volumeName}.`);
      this.fleet.removeVolume(host.name, ref.imagePool, volumeName);
      rmSync(this.fleet.imagePath(host.name, volumeName), { force: true });
    });
  }

  createOverlay(ref: HostRef, overlay: OverlaySpec): Promise<void> {
    return this.fleet.call(ref, 'createOverlay', (host) => {
      checkOverlaySpec(overlay);
      const beneath = this.beneath(host, ref, overlay.base);
      const capacityBytes = gibToBytes(overlay.sizeGib);
      const virtualSizeBytes = beneath.image?.virtualSizeBytes ?? beneath.capacityBytes;
      if (capacityBytes < virtualSizeBytes) {
        throw diskTooSmall({ volumeName: beneath.name, virtualSizeBytes });
      }
      this.lay(host, ref, overlay.volumeName, capacityBytes, beneath);
    });
  }

  private beneath(host: SimulatedHost, ref: HostRef, base: OverlayBase): SimulatedVolume {
    if ('frozen' in base) {
      const volume = this.needVolume(host, ref, base.frozen);
      this.refuseWhileHad(host, base.frozen);
      return volume;
    }
    const volume = this.fleet.volume(host.name, ref.imagePool, base.image);
    if (!volume?.image) throw refusal(host, 'image_missing', `Image ${base.image} is not on the host.`);
    return volume;
  }

  /** What a guest has left on the disk beneath is there on the overlay as well. */
  private lay(
    host: SimulatedHost,
    ref: HostRef,
    name: string,
    capacityBytes: number,
    { pool, name: beneath, guest }: SimulatedVolume,
  ): void {
    const existing = this.fleet.volume(host.name, ref.diskPool, name);
    if (existing) {
      const { backing } = existing;
      const isSame = backing?.pool === pool && backing.name === beneath;
      if (isSame && existing.capacityBytes === capacityBytes) return;
      throw refusal(host, 'volume_exists_foreign', `Another volume is called ${name}.`);
    }
    this.needSpace(host, EMPTY_OVERLAY_BYTES);
    this.fleet.putVolume(host.name, {
      name,
      pool: ref.diskPool,
      capacityBytes,
      allocationBytes: EMPTY_OVERLAY_BYTES,
      backing: { pool, name: beneath },
      ...(guest && { guest }),
    });
  }

  createSeed(ref: HostRef, spec: SeedSpec): Promise<void> {
    return this.fleet.call(ref, 'createSeed', (host) => {
      checkSeedSpec(spec);
      const seed = Object.fromEntries(renderSeed(spec).map((file) => [file.name, file.content]));
      const existing = this.fleet.volume(host.name, ref.diskPool, spec.volumeName);
      if (existing && !existing.seed) {
        throw refusal(host, 'volume_exists_foreign', `Another volume is called ${spec.volumeName}.`);
      }
      if (!existing) this.needSpace(host, SEED_BYTES);
      const sizes = { capacityBytes: SEED_BYTES, allocationBytes: SEED_BYTES };
      this.fleet.putVolume(host.name, { name: spec.volumeName, pool: ref.diskPool, ...sizes, seed });
    });
  }

  deleteVolume(ref: HostRef, volumeName: string, _options: { readonly wipe?: boolean } = {}): Promise<void> {
    return this.fleet.call(ref, 'deleteVolume', (host) => {
      checkVolumeName(volumeName);
      this.refuseWhileHad(host, volumeName);
      const disk = this.fleet
        .volumes(host.name)
        .find(({ backing }) => backing?.pool === ref.diskPool && backing.name === volumeName);
      if (disk) throw refusal(host, 'volume_in_use', `Disk ${disk.name} stands on volume ${volumeName}.`);
      this.fleet.removeVolume(host.name, ref.diskPool, volumeName);
    });
  }

  listVolumes(ref: HostRef, pool: 'images' | 'disks'): Promise<readonly VolumeFacts[]> {
    return this.fleet.call(ref, 'listVolumes', (host) => {
      const poolName = pool === 'images' ? ref.imagePool : ref.diskPool;
      const volumes = this.fleet.volumes(host.name).filter((volume) => volume.pool === poolName);
      return volumes.map(({ name, capacityBytes, allocationBytes }) => ({
        name,
        capacityBytes,
        allocationBytes,
      }));
    });
  }

  createVolume(ref: HostRef, volume: BlockVolumeSpec): Promise<void> {
    return this.fleet.call(ref, 'createVolume', (host) => {
      checkBlockVolumeSpec(volume);
      const { volumeName: name, sizeGib } = volume;
      const capacityBytes = gibToBytes(sizeGib);
      const existing = this.fleet.volume(host.name, ref.diskPool, name);
      if (existing && !existing.backing && existing.capacityBytes >= capacityBytes) return;
      if (existing) throw refusal(host, 'volume_exists_foreign', `Another volume is called ${name}.`);
      const allocationBytes = EMPTY_OVERLAY_BYTES;
      this.needSpace(host, allocationBytes);
      this.fleet.putVolume(host.name, { name, pool: ref.diskPool, capacityBytes, allocationBytes });
    });
  }

  attachVolume(ref: HostRef, uuid: string, volume: AttachedVolume): Promise<void> {
    return this.fleet.call(ref, 'attachVolume', (host) => {
      checkAttachedVolume(volume);
      const domain = this.needDomain(host, uuid);
      const { volumeName, slot } = volume;
      this.needVolume(host, ref, volumeName);
      if (domain.volumes.some((one) => one.volumeName === volumeName)) return;
      this.refuseWhileHad(host, volumeName);
      if (domain.volumes.some((one) => one.slot === slot)) {
        throw refusal(host, 'volume_in_use', `Domain ${domain.name} has another volume in slot ${slot}.`);
      }
      this.fleet.putDomain(host.name, { ...domain, volumes: [...domain.volumes, volume] });
    });
  }

  detachVolume(ref: HostRef, uuid: string, volumeName: string): Promise<void> {
    return this.fleet.call(ref, 'detachVolume', (host) => {
      checkVolumeName(volumeName);
      const domain = this.ownDomain(host, uuid);
      if (!domain) return;
      const volumes = domain.volumes.filter((one) => one.volumeName !== volumeName);
      this.fleet.putDomain(host.name, { ...domain, volumes });
    });
  }

  growVolume(ref: HostRef, spec: GrowSpec): Promise<void> {
    return this.fleet.call(ref, 'growVolume', (host) => {
      checkGrowSpec(spec);
      const { volumeName, sizeGib, domainUuid } = spec;
      const volume = this.needVolume(host, ref, volumeName);
      const capacityBytes = gibToBytes(sizeGib);
      if (volume.capacityBytes >= capacityBytes) return;
      const user = this.fleet
        .domains(host.name)
        .find((domain) => domain.state !== 'off' && volumesOf(domain).includes(volumeName));
      if (user && user.uuid !== domainUuid)
        throw refusal(host, 'volume_in_use', `Domain ${user.name} runs on ${volumeName}.`);
      this.fleet.putVolume(host.name, { ...volume, capacityBytes });
    });
  }

  flattenVolume(ref: HostRef, copy: VolumeCopy, options: CopyOptions = {}): Promise<void> {
    return this.fleet.call(ref, 'flattenVolume', (host) => {
      checkVolumeCopy(copy);
      const { volumeName, fromVolumeName } = copy;
      if (this.fleet.volume(host.name, ref.diskPool, volumeName)) return;
      const source = this.needVolume(host, ref, fromVolumeName);
      const writer = this.fleet
        .domains(host.name)
        .find((domain) => domain.state !== 'off' && volumesOf(domain).includes(fromVolumeName));
      if (writer) throw refusal(host, 'volume_in_use', `Domain ${writer.name} writes to ${fromVolumeName}.`);
      this.needSpace(host, source.allocationBytes);
      const { capacityBytes, allocationBytes, guest } = source;
      this.fleet.putVolume(host.name, {
        ...{ name: volumeName, pool: ref.diskPool, capacityBytes, allocationBytes, copyOf: fromVolumeName },
        ...(guest && { guest }),
      });
      options.onProgress?.(allocationBytes, capacityBytes);
    });
  }

  /** What arrives is an empty disk of the right size. */
  downloadVolume(ref: HostRef, volumeName: string, toPath: string, options: CopyOptions = {}): Promise<void> {
    return this.fleet.call(ref, 'downloadVolume', async (host) => {
      checkVolumeName(volumeName);
      const file = emptyQcow2(this.needVolume(host, ref, volumeName).capacityBytes);
      await writeFile(`${toPath}.half`, file, { mode: 0o600 });
      await rename(`${toPath}.half`, toPath);
      options.onProgress?.(file.length, file.length);
    });
  }

  defineDomain(ref: HostRef, spec: DomainSpec): Promise<void> {
    return this.fleet.call(ref, 'defineDomain', (host) => {
      checkDomainSpec(spec);
      const { serverId, network = 'open', volumes = [], ...rest } = spec;
      const existing = this.fleet.domain(host.name, spec.uuid);
      const namesake = this.fleet.domains(host.name).find((domain) => domain.name === spec.name);
      if ((existing && !this.isOurs(existing, serverId)) || (namesake && namesake.uuid !== spec.uuid)) {
        throw refusal(
          host,
          'domain_exists_foreign',
          `A domain that is not ours is ${spec.name} or ${spec.uuid}.`,
        );
      }
      if (!host.firmwares.includes(spec.firmware)) {
        throw refusal(host, 'firmware_missing', `Host ${host.name} has no firmware ${spec.firmware}.`);
      }
      for (const volume of [spec.diskVolume, spec.seedVolume, ...volumes.map((one) => one.volumeName)]) {
        if (volume !== undefined) this.needVolume(host, ref, volume);
      }
      const owner = { serverId, installationId: this.installationId };
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
      if (this.ownDomain(host, uuid)) this.fleet.removeDomain(host.name, uuid);
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
        owner: domain.owner,
        ours: this.isOurs(domain),
        volumes: volumesOf(domain),
        network: domain.network,
      })),
    );
  }

  startDomain(ref: HostRef, uuid: string, options: { readonly paused?: boolean } = {}): Promise<void> {
    return this.fleet.call(ref, 'startDomain', (host) => {
      const domain = this.needDomain(host, uuid);
      if (domain.state === 'running' || domain.state === 'paused') return;
      const running = this.fleet.domains(host.name).filter((other) => other.state === 'running');
      const usedMib = running.reduce((sum, other) => sum + other.memoryMib, 0);
      if (usedMib + domain.memoryMib > host.memoryMib) {
        throw refusal(host, 'host_out_of_memory', `Host ${host.name} has no ${domain.memoryMib} MiB left.`);
      }
      const disk = this.needVolume(host, ref, domain.diskVolume);
      const seed =
        domain.seedVolume === undefined ? undefined : this.needVolume(host, ref, domain.seedVolume);
      if (options.paused) return this.fleet.putDomain(host.name, { ...domain, state: 'paused' });
      const guest = firstBoot(domain, disk, seed);
      this.fleet.putVolume(host.name, { ...disk, guest });
      const startedAtMs = this.fleet.clock.now().getTime();
      this.fleet.putDomain(host.name, { ...domain, state: 'running', startedAtMs });
    });
  }

  shutdownDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'shutdownDomain', (host) => this.stop(host, this.needDomain(host, uuid)));
  }

  rebootDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'rebootDomain', (host) => this.restart(host, uuid));
  }

  resetDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'resetDomain', (host) => this.restart(host, uuid));
  }

  destroyDomain(ref: HostRef, uuid: string): Promise<void> {
    return this.fleet.call(ref, 'destroyDomain', (host) => {
      const domain = this.ownDomain(host, uuid);
      if (domain) this.stop(host, domain);
    });
  }

  setNetwork(ref: HostRef, uuid: string, network: NetworkState): Promise<void> {
    return this.fleet.call(ref, 'setNetwork', (host) => {
      this.fleet.putDomain(host.name, { ...this.needDomain(host, uuid), network });
    });
  }

  freezeDisk(ref: HostRef, uuid: string, spec: FreezeSpec): Promise<Frozen> {
    return this.fleet.call(ref, 'freezeDisk', (host) => {
      checkFreezeSpec(spec);
      const { frozenVolume, nextVolume, memoryVolume } = spec;
      const domain = this.needDomain(host, uuid);
      const isRunning = domain.state === 'running';
      if (domain.diskVolume !== frozenVolume && !(isRunning && domain.diskVolume === nextVolume)) {
        throw refusal(host, 'volume_missing', `Domain ${domain.name} does not have disk ${frozenVolume}.`);
      }
      const beneath = this.needVolume(host, ref, frozenVolume);
      this.lay(host, ref, nextVolume, beneath.capacityBytes, beneath);
      if (!isRunning) return { consistency: 'as_left', heldMilliseconds: null, hasMemory: false };
      const isDone = domain.diskVolume === nextVolume;
      if (memoryVolume !== undefined && !isDone) this.keepMemory(host, ref, domain, memoryVolume);
      const hasMemory =
        memoryVolume !== undefined && this.fleet.volume(host.name, ref.diskPool, memoryVolume) !== undefined;
      if (isDone) return { consistency: 'crash', heldMilliseconds: null, hasMemory };
      this.fleet.putDomain(host.name, { ...domain, diskVolume: nextVolume });
      if (hasMemory) return { consistency: 'crash', heldMilliseconds: null, hasMemory };
      const consistency = this.agentIsUp(host, domain) ? 'filesystem' : 'crash';
      return { consistency, heldMilliseconds: 0, hasMemory };
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

  resumeDomain(ref: HostRef, uuid: string, spec: ResumeSpec): Promise<void> {
    return this.fleet.call(ref, 'resumeDomain', (host) => {
      checkResumeSpec(spec);
      const domain = this.needDomain(host, uuid);
      if (domain.state === 'running' && domain.diskVolume === spec.diskVolume) return;
      const { memory } = this.needVolume(host, ref, spec.memoryVolume);
      this.needVolume(host, ref, spec.diskVolume);
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
        startedAtMs,
      });
    });
  }

  mergeLayers(ref: HostRef, uuid: string): Promise<Merge> {
    return this.fleet.call(ref, 'mergeLayers', (host) => {
      const domain = this.needDomain(host, uuid);
      if (domain.state !== 'running' && domain.state !== 'paused') return { state: 'waiting' };
      const disk = this.needVolume(host, ref, domain.diskVolume);
      const [lowest] = this.layersBelow(host, disk).slice(-1);
      if (lowest) {
        const backing = { pool: lowest.pool, name: lowest.name };
        this.fleet.putVolume(host.name, { ...disk, backing });
      }
      return { state: 'merged' };
    });
  }

  private layersBelow(host: SimulatedHost, { backing }: SimulatedVolume): SimulatedVolume[] {
    const beneath = backing && this.fleet.volume(host.name, backing.pool, backing.name);
    return beneath ? [beneath, ...this.layersBelow(host, beneath)] : [];
  }

  diskReadBytes(ref: HostRef, uuid: string): Promise<number> {
    return this.fleet.call(ref, 'diskReadBytes', (host) => {
      const domain = this.needDomain(host, uuid);
      if (domain.state !== 'running') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
      return guestIsUp(host, domain, this.fleet.clock) ? BOOT_READ_BYTES : 0;
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

  detachSeed(ref: HostRef, uuid: string, volumeName: string): Promise<SeedDetachment> {
    return this.fleet.call(ref, 'detachSeed', (host) => {
      checkVolumeName(volumeName);
      const domain = this.ownDomain(host, uuid);
      const held = domain?.state === 'running' && host.guestFault === 'seed_held';
      if (domain) {
        const { seedVolume: _seed, ...rest } = domain;
        this.fleet.putDomain(host.name, { ...rest, heldVolumes: held ? [volumeName] : [] });
      }
      const volume = this.fleet.volume(host.name, ref.diskPool, volumeName);
      if (!held) this.fleet.removeVolume(host.name, ref.diskPool, volumeName);
      else if (volume) this.fleet.putVolume(host.name, { ...volume, seed: {} });
      return held ? 'held' : 'released';
    });
  }

  agentPing(ref: HostRef, uuid: string): Promise<boolean> {
    return this.fleet.call(ref, 'agentPing', (host) => {
      checkUuid(uuid);
      const domain = this.fleet.domain(host.name, uuid);
      return domain !== undefined && this.agentIsUp(host, domain);
    });
  }

  agentExec(
    ref: HostRef,
    uuid: string,
    argv: readonly [string, ...string[]],
    { input = '' }: AgentExecOptions,
  ): Promise<AgentExecResult> {
    return this.fleet.call(ref, 'agentExec', (host) => {
      const disk = this.needAgent(host, ref, uuid);
      const { network, startedAtMs, vcpus, volumes } = this.needDomain(host, uuid);
      const [, , , name = '', ...args] = argv;
      const bootId = bootIdOf(uuid, startedAtMs);
      const call = { name, args, input, bootId };
      const own = disk.guest && runOwnProgram(call, disk.guest.software ?? FRESH_SOFTWARE);
      if (disk.guest && own) {
        this.fleet.putVolume(host.name, { ...disk, guest: { ...disk.guest, software: own.software } });
        return own.result;
      }
      const blocks = volumes.map(({ volumeName }) => this.needVolume(host, ref, volumeName));
      const onBlock = runOnBlocks(argv, input, blocks);
      if (onBlock?.volume) this.fleet.putVolume(host.name, onBlock.volume);
      if (onBlock) return onBlock.result;
      const reaches = (address: string) =>
        network === 'open' || (network === 'isolated' && this.isolatedAllows.includes(address));
      const hostname = disk.guest?.hostname ?? '';
      const diskBytes = disk.capacityBytes;
      return runProgram(argv, { hostname, reaches, fault: host.guestFault, input, bootId, vcpus, diskBytes });
    });
  }

  agentSetPassword(ref: HostRef, uuid: string, user: string, password: string): Promise<void> {
    return this.fleet.call(ref, 'agentSetPassword', (host) => {
      checkLogin({ user, password });
      const disk = this.needAgent(host, ref, uuid);
      if (!disk.guest) throw refusal(host, 'agent_not_answering', `Guest ${uuid} has not booted.`);
      if (user !== 'root') throw refusal(host, 'agent_refused', `The guest has no user ${user}.`);
      const digest = createHash('sha256').update(password).digest('hex');
      const passwordDigests = { ...disk.guest.passwordDigests, [user]: digest };
      this.fleet.putVolume(host.name, { ...disk, guest: { ...disk.guest, passwordDigests } });
    });
  }

  private stop(host: SimulatedHost, domain: SimulatedDomain): void {
    if (domain.state !== 'off') this.fleet.putDomain(host.name, { ...domain, state: 'off', heldVolumes: [] });
  }

  private restart(host: SimulatedHost, uuid: string): void {
    const domain = this.needDomain(host, uuid);
    if (domain.state !== 'running') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
    this.fleet.putDomain(host.name, { ...domain, startedAtMs: this.fleet.clock.now().getTime() });
  }

  private isOurs(domain: SimulatedDomain, serverId = domain.owner?.serverId): boolean {
    return domain.owner?.installationId === this.installationId && domain.owner.serverId === serverId;
  }

  private agentIsUp(host: SimulatedHost, domain: SimulatedDomain): boolean {
    const isSilent = host.guestFault === 'agent_silent' || host.guestFault === 'no_cloud_init';
    return !isSilent && guestIsUp(host, domain, this.fleet.clock);
  }

  /** The domain where it exists and is ours. @throws domain_exists_foreign where it is not */
  private ownDomain(host: SimulatedHost, uuid: string): SimulatedDomain | undefined {
    checkUuid(uuid);
    const domain = this.fleet.domain(host.name, uuid);
    if (domain && !this.isOurs(domain)) {
      throw refusal(host, 'domain_exists_foreign', `Domain ${uuid} is not ours.`);
    }
    return domain;
  }

  private needDomain(host: SimulatedHost, uuid: string): SimulatedDomain {
    const domain = this.ownDomain(host, uuid);
    if (!domain) throw refusal(host, 'domain_missing', `There is no domain ${uuid} on host ${host.name}.`);
    return domain;
  }

  private needAgent(host: SimulatedHost, ref: HostRef, uuid: string): SimulatedVolume {
    const domain = this.needDomain(host, uuid);
    if (domain.state !== 'running') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
    if (!this.agentIsUp(host, domain)) {
      throw refusal(host, 'agent_not_answering', `The guest agent of ${uuid} does not answer.`);
    }
    return this.needVolume(host, ref, domain.diskVolume);
  }

  private needVolume(host: SimulatedHost, ref: HostRef, name: string): SimulatedVolume {
    const volume = this.fleet.volume(host.name, ref.diskPool, name);
    if (!volume) throw refusal(host, 'volume_missing', `There is no volume ${name} on host ${host.name}.`);
    return volume;
  }

  private refuseWhileHad(host: SimulatedHost, name: string): void {
    const user = this.fleet.domains(host.name).find((domain) => volumesOf(domain).includes(name));
    if (user) throw refusal(host, 'volume_in_use', `Domain ${user.name} has volume ${name}.`);
  }

  private needSpace(host: SimulatedHost, bytes: number): void {
    if (this.fleet.freeBytes(host) < bytes) {
      throw refusal(host, 'pool_full', `The pool of host ${host.name} has no ${bytes} bytes left.`);
    }
  }
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

function volumesOf(domain: SimulatedDomain): string[] {
  const defined = domain.seedVolume === undefined ? [] : [domain.seedVolume];
  const attached = domain.volumes.map(({ volumeName }) => volumeName);
  return [domain.diskVolume, ...new Set([...defined, ...domain.heldVolumes, ...attached])];
}

function refusal(host: SimulatedHost, code: HypervisorErrorCode, message: string): HypervisorError {
  return new HypervisorError(code, message, { details: { host: host.name } });
}
