import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, gibToBytes, sleep, systemClock } from '#libs/kernel';
import { HypervisorError, type HypervisorErrorCode } from '../hypervisor.errors.ts';
import type { AttachedVolume } from '../port/block-volumes.ts';
import type { Firmware } from '../port/devices.ts';
import type { DomainSpec, NetworkState } from '../port/domains.ts';
import type { GuestReach } from '../port/guest-reach.ts';
import type { Acceleration, HostRef } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';
import type { ImageFacts } from '../port/images.ts';
import type { GuestSoftware } from './simulated-programs.ts';

/** A simulated host's hardware and temper. */
export interface SimulatedHost {
  readonly name: string;
  readonly hostUuid: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  /** Folder of its pools, as its disks name what they stand on. */
  readonly poolRoot: string;
  /** The storage of this name is its disk pool `servery-disks`, as it is of other hosts; null: it has one of its own. */
  readonly diskStorage: string | null;
  /** Every call fails with `host_unreachable`. */
  readonly unreachable: boolean;
  /** Added to every call. */
  readonly latencyMs: number;
  /** From start until agent, SSH and HTTP answer. */
  readonly bootMs: number;
  /** What is wrong with every guest of this host, as seen from outside. */
  readonly guestFault: GuestFault | null;
  readonly acceleration: Acceleration;
  readonly firmwares: readonly Firmware[];
}

/**
 * `no_cloud_init`: it reads no seed and has no agent, so it is known by nothing that we gave it. `no_screen`: it was started
 * before domains had screens.
 */
export type GuestFault =
  | 'agent_silent'
  | 'wrong_host_key'
  | 'no_cloud_init'
  | 'http_500'
  | 'exec_fails'
  | 'no_screen'
  | 'seed_held'
  | 'first_boot_fails';

/** What cloud-init left on a disk at its first boot. */
export interface GuestFacts {
  readonly instanceId: string;
  readonly hostname: string;
  readonly hostKey: string;
  /** SHA-256 of passwords set through the agent, by user. */
  readonly passwordDigests: Readonly<Record<string, string>>;
  /** SHA-256 of the files that its seed had written, by path. */
  readonly fileDigests: Readonly<Record<string, string>>;
  /** What our programs have found and changed; missing: as it was cooked. */
  readonly software?: GuestSoftware;
  /** What its first boot made is in its memory alone; `lost` when its power was cut by then: it has no network since. */
  readonly settings?: 'in_memory' | 'lost';
}

export interface SimulatedVolume {
  readonly name: string;
  readonly pool: string;
  readonly capacityBytes: number;
  readonly allocationBytes: number;
  readonly image?: ImageFacts;
  readonly backing?: { readonly pool: string; readonly name: string };
  readonly seed?: Readonly<Record<string, string>>;
  readonly guest?: GuestFacts;
  /** It is what was kept of the memory of a machine of this size. */
  readonly memory?: Pick<SimulatedDomain, 'vcpus' | 'memoryMib' | 'startedAtMs'>;
  /** What a guest has written at the beginning of a disk of its owner's. */
  readonly content?: string;
  /** The volume that this one is a self-contained copy of. */
  readonly copyOf?: string;
}

export interface SimulatedDomain extends Omit<DomainSpec, 'serverId' | 'volumes'> {
  readonly owner: { readonly serverId: number; readonly installationId: string } | null;
  readonly state: 'running' | 'off' | 'paused' | 'crashed';
  readonly startedAtMs: number;
  readonly wasCutOff?: boolean;
  /** What the running guest still has plugged in, where that differs from the definition. */
  readonly heldVolumes: readonly string[];
  readonly network: NetworkState;
  /** What its owner has attached; a guest that runs has the same. */
  readonly volumes: readonly AttachedVolume[];
}

export type SimulatedMethod = keyof Hypervisor | keyof GuestReach;

/** `before`: the call fails and had no effect. `after`: it fails, and had its effect all the same. */
export interface PlannedFault {
  readonly when: 'before' | 'after';
  /** An error of this code, or the death of the calling process (SIGKILL). */
  readonly with: HypervisorErrorCode | 'kill';
}

const SCHEME = 'simulated:';
const DISK_POOL = 'servery-disks';
/** Not a host: what several of them show. */
const STORAGES = '.storages';

const DEFAULTS: Omit<SimulatedHost, 'name' | 'hostUuid'> = {
  vcpus: 32,
  memoryMib: 128 * 1024,
  diskGib: 2000,
  poolRoot: '/pools',
  diskStorage: null,
  unreachable: false,
  latencyMs: 0,
  bootMs: 0,
  guestFault: null,
  acceleration: { domainType: 'qemu', reason: 'a simulated host runs nothing' },
  firmwares: ['bios', 'uefi'],
};

/**
 * Simulated hosts as a folder: one JSON file for each object, replaced by renaming. So several processes share
 * a fleet without locks, a killed process leaves whole objects behind, and a person can read it all.
 */
export class SimulatedFleet {
  private readonly directory: string;
  readonly clock: Clock;

  constructor(directory: string, clock: Clock = systemClock) {
    this.directory = directory;
    this.clock = clock;
  }

  addHost(name: string, options: Partial<Omit<SimulatedHost, 'name'>> = {}): SimulatedHost {
    const host = { ...DEFAULTS, hostUuid: randomUUID(), ...options, name };
    for (const kind of ['domains', 'volumes', 'faults', 'images'] as const) {
      mkdirSync(this.path(name, kind), { recursive: true });
    }
    this.replace(this.path(name, 'host.json'), host);
    this.makeStorage(name);
    return host;
  }

  /** What a caller of the port needs in order to reach the simulated host `name`. */
  hostRef(name: string, id: number): HostRef {
    const pools = { imagePool: 'servery-images', diskPool: DISK_POOL };
    return { id, name, uri: `${SCHEME}${name}`, domainType: 'qemu', ...pools, bridge: 'br0' };
  }

  /** Changes a host's hardware or temper, for every process that shares the folder. */
  change(name: string, changes: Partial<Omit<SimulatedHost, 'name'>>): void {
    this.replace(this.path(name, 'host.json'), { ...this.host(name), ...changes });
    this.makeStorage(name);
  }

  /** Lets the next call of `method` on the host fail; several plans are used up one after another. */
  failNext(name: string, method: SimulatedMethod, fault: PlannedFault): void {
    const order = readdirSync(this.path(name, 'faults')).length;
    const id = `${method}~${String(order).padStart(6, '0')}~${randomUUID()}`;
    this.replace(this.path(name, 'faults', `${id}.json`), fault);
  }

  /** @throws host_unreachable where there is no such host */
  host(name: string): SimulatedHost {
    const host = this.read<SimulatedHost>(this.path(name, 'host.json'));
    if (!host) throw unreachable(name);
    return host;
  }

  hostNames(): string[] {
    return list(this.directory).filter((name) => name !== STORAGES);
  }

  domains(name: string): SimulatedDomain[] {
    return this.all<SimulatedDomain>(this.path(name, 'domains'));
  }

  volumes(name: string): SimulatedVolume[] {
    const own = this.all<SimulatedVolume>(this.path(name, 'volumes'));
    if (this.host(name).diskStorage === null) return own;
    const shared = this.all<SimulatedVolume>(this.storagePath(name, 'volumes'));
    return [...own.filter(({ pool }) => pool !== DISK_POOL), ...shared];
  }

  domain(name: string, uuid: string): SimulatedDomain | undefined {
    return this.read(this.path(name, 'domains', `${uuid}.json`));
  }

  volume(name: string, pool: string, volumeName: string): SimulatedVolume | undefined {
    return this.read(this.volumePath(name, pool, volumeName));
  }

  putDomain(name: string, domain: SimulatedDomain): void {
    this.replace(this.path(name, 'domains', `${domain.uuid}.json`), domain);
  }

  putVolume(name: string, volume: SimulatedVolume): void {
    this.replace(this.volumePath(name, volume.pool, volume.name), volume);
  }

  /** Where the bytes of a host's image lie, if it was brought there. */
  imagePath(name: string, volumeName: string): string {
    return this.path(name, 'images', volumeName);
  }

  removeDomain(name: string, uuid: string): void {
    rmSync(this.path(name, 'domains', `${uuid}.json`), { force: true });
  }

  removeVolume(name: string, pool: string, volumeName: string): void {
    rmSync(this.volumePath(name, pool, volumeName), { force: true });
  }

  /** What is marked in a host's disk pool. */
  marks(name: string): string[] {
    return list(this.storagePath(name, 'marks'));
  }

  putMark(name: string, mark: string): void {
    this.replace(this.storagePath(name, 'marks', mark), {});
  }

  removeMark(name: string, mark: string): void {
    rmSync(this.storagePath(name, 'marks', mark), { force: true });
  }

  freeBytes(host: SimulatedHost): number {
    const used = this.volumes(host.name).reduce((sum, volume) => sum + volume.allocationBytes, 0);
    return Math.max(0, gibToBytes(host.diskGib) - used);
  }

  /** Runs one call on a host with the host's latency and planned faults around it. */
  async call<T>(
    ref: HostRef,
    method: SimulatedMethod,
    effect: (host: SimulatedHost) => T,
  ): Promise<Awaited<T>> {
    const name = ref.uri.slice(SCHEME.length);
    const { latencyMs } = this.host(name);
    if (latencyMs > 0) await sleep(latencyMs);
    const host = this.host(name);
    if (host.unreachable) throw unreachable(name);
    const fault = this.takeFault(name, method);
    if (fault?.when === 'before') fail(name, method, fault);
    const result = await effect(host);
    if (fault?.when === 'after') fail(name, method, fault);
    return result;
  }

  /** The process that removes the plan's file is the one that suffers it. */
  private takeFault(name: string, method: SimulatedMethod): PlannedFault | undefined {
    const plans = list(this.path(name, 'faults')).filter((file) => file.startsWith(`${method}~`));
    for (const file of plans.sort()) {
      const path = this.path(name, 'faults', file);
      const fault = this.read<PlannedFault>(path);
      try {
        unlinkSync(path);
        return fault;
      } catch {}
    }
    return undefined;
  }

  private all<T>(folder: string): T[] {
    const found = list(folder).map((file) => this.read<T>(join(folder, file)));
    return found.filter((object) => object !== undefined);
  }

  private volumePath(name: string, pool: string, volumeName: string): string {
    const file = `${pool}~${volumeName}.json`;
    return pool === DISK_POOL ? this.storagePath(name, 'volumes', file) : this.path(name, 'volumes', file);
  }

  /** In what is the host's disk pool. */
  private storagePath(name: string, ...rest: string[]): string {
    const { diskStorage } = this.host(name);
    return diskStorage === null ? this.path(name, ...rest) : this.path(STORAGES, diskStorage, ...rest);
  }

  private makeStorage(name: string): void {
    for (const kind of ['volumes', 'marks']) mkdirSync(this.storagePath(name, kind), { recursive: true });
  }

  private path(name: string, ...rest: string[]): string {
    return join(this.directory, name, ...rest);
  }

  private read<T>(path: string): T | undefined {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as T;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  private replace(path: string, content: unknown): void {
    const half = `${path}.${randomUUID()}.half`;
    writeFileSync(half, JSON.stringify(content, null, 1), { mode: 0o600 });
    renameSync(half, path);
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => !file.endsWith('.half'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function unreachable(name: string): HypervisorError {
  return new HypervisorError('host_unreachable', `Host ${name} does not answer.`, {
    details: { host: name },
  });
}

function fail(name: string, method: SimulatedMethod, fault: PlannedFault): never {
  if (fault.with === 'kill') process.kill(process.pid, 'SIGKILL');
  const code = fault.with === 'kill' ? 'host_unreachable' : fault.with;
  const message = `Planned fault: ${method} on ${name} fails ${fault.when} its effect.`;
  throw new HypervisorError(code, message, { details: { host: name, planned: fault.when } });
}
