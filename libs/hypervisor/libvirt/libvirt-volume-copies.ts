import { open, rename, rm, stat } from 'node:fs/promises';
import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { CopyOptions, VolumeCopy } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkVolumeCopy, checkVolumeName } from '../specs.ts';
import { readDomain } from './domain-xml.ts';
import { Gate } from './gate.ts';
import { partMark } from './image-marks.ts';
import { makeMark } from './make-volume.ts';
import { listPool, refreshPool } from './pool-listing.ts';
import { LONGEST_SECONDS, watchProgress } from './progress-watch.ts';
import type { Virsh } from './virsh.ts';
import { volumeXml } from './volume-xml.ts';
import { XmlElement } from './xml.ts';

/** Copies read and write whole disks: more of them at once on one host would be slower for all. */
const AT_ONCE_PER_HOST = 2;

/** A volume of one of a host's pools. */
interface PoolVolume {
  readonly pool: string;
  readonly volumeName: string;
}

interface SourceFacts {
  readonly path: string;
  readonly capacityBytes: number;
}

/** Self-contained copies of disks on a host, and the way of a volume to this machine. */
export class LibvirtVolumeCopies {
  private readonly virsh: Virsh;
  private readonly stallSeconds: number;
  private readonly gates = new Map<string, Gate>();

  constructor(virsh: Virsh, stallSeconds: number) {
    this.virsh = virsh;
    this.stallSeconds = stallSeconds;
  }

  /** The host's storage driver runs `qemu-img convert`, which reads through the backing chain. */
  async flatten(host: HostRef, copy: VolumeCopy, options: CopyOptions): Promise<void> {
    checkVolumeCopy(copy);
    await refreshPool(this.virsh, host, host.diskPool);
    if (await this.isWhole(host, copy.volumeName)) return;
    const source = await this.source(host, copy.fromVolumeName);
    await this.refuseWhileWrittenTo(host, source);
    await this.pass(host, async () => {
      await this.mark(host, copy.volumeName);
      await this.remove(host, copy.volumeName);
      await this.convert(host, copy, source, options);
      await this.remove(host, partMark(copy.volumeName));
    });
  }

  async download(host: HostRef, volumeName: string, toPath: string, options: CopyOptions): Promise<void> {
    checkVolumeName(volumeName);
    await refreshPool(this.virsh, host, host.diskPool);
    if (await this.isMarked(host, volumeName)) {
      throw new HypervisorError('volume_missing', `Volume ${volumeName} on ${host.name} is half a copy.`, {
        details: { host: host.name },
      });
    }
    await this.bring(host, { pool: host.diskPool, volumeName }, toPath, options);
  }

  /** The bytes go to a file of another name, which takes its name when it is as long as the volume. */
  async bring(host: HostRef, volume: PoolVolume, toPath: string, options: CopyOptions): Promise<void> {
    const { volumeName } = volume;
    const totalBytes = (await this.read(host, volumeName, volume.pool)).at('physical').number;
    const half = `${toPath}.half`;
    try {
      await (await open(half, 'w', 0o600)).close();
      await this.pass(host, () => this.fetch(host, volume, half, totalBytes, options));
      await settleWhole(host, volumeName, half, totalBytes);
      await rename(half, toPath);
      options.onProgress?.(totalBytes, totalBytes);
    } finally {
      await rm(half, { force: true });
    }
  }

  /** Forgets that a volume was half a copy: it is deleted. */
  async forget(host: HostRef, volumeName: string): Promise<void> {
    await this.remove(host, partMark(volumeName));
  }

  private async convert(
    host: HostRef,
    copy: VolumeCopy,
    { capacityBytes }: SourceFacts,
    options: CopyOptions,
  ): Promise<void> {
    const { volumeName, fromVolumeName, format } = copy;
    const input = volumeXml({ name: volumeName, capacityBytes, allocationBytes: 0, format });
    const pools = ['--pool', host.diskPool, '--inputpool', host.diskPool];
    const args = ['vol-create-from', ...pools, '--vol', fromVolumeName, '--file', '/dev/stdin'];
    await watchProgress(
      { host, what: `Flattening ${fromVolumeName}`, stallSeconds: this.stallSeconds, ...options },
      () => this.allocation(host, volumeName),
      capacityBytes,
      (signal) => this.virsh.run(host, args, { input, timeoutSeconds: LONGEST_SECONDS, signal }),
    );
  }

  private async fetch(
    host: HostRef,
    { pool, volumeName }: PoolVolume,
    path: string,
    totalBytes: number,
    options: CopyOptions,
  ): Promise<void> {
    const args = ['vol-download', '--sparse', '--pool', pool, '--vol', volumeName, '--file', path];
    const call = watchProgress(
      { host, what: `Downloading ${volumeName}`, stallSeconds: this.stallSeconds, ...options },
      async () => (await stat(path)).size,
      totalBytes,
      (signal) => this.virsh.run(host, args, { timeoutSeconds: LONGEST_SECONDS, signal }),
    );
    await call.catch((cause: unknown) => {
      if (!isHypervisorError(cause, 'pool_full')) throw cause;
      const message = `This machine has no room for ${volumeName} (${totalBytes} bytes): free some.`;
      throw new HypervisorError('pool_full', message, { cause, details: { host: host.name, totalBytes } });
    });
  }

  /** Space that a volume under way takes by now. */
  private async allocation(host: HostRef, volumeName: string): Promise<number> {
    return (await this.read(host, volumeName)).at('allocation').number;
  }

  private async source(host: HostRef, volumeName: string): Promise<SourceFacts> {
    const volume = await this.read(host, volumeName);
    return { path: volume.at('target', 'path').text, capacityBytes: volume.at('capacity').number };
  }

  /** A disk that a guest writes to while it is copied would be copied wrongly; what it stands on may be. */
  private async refuseWhileWrittenTo(host: HostRef, source: SourceFacts): Promise<void> {
    const running = await this.virsh.run(host, ['list', '--uuid']);
    const uuids = running.split('\n').flatMap((line) => line.trim() || []);
    if (uuids.length === 0) return;
    const commands = uuids.map((uuid) => ['dumpxml', '--domain', uuid]);
    const { outputs } = await this.virsh.script(host, commands, { timeoutSeconds: 120 });
    const paths = await listPool(this.virsh, host, host.diskPool);
    const pathOf = new Map(paths.map((entry) => [entry.name, entry.path]));
    const writer = outputs
      .filter((xml) => xml.includes('<domain'))
      .map(readDomain)
      .find(({ disks }) => disks.some((disk) => (disk.path || pathOf.get(disk.volume)) === source.path));
    if (!writer) return;
    const message = `Domain ${writer.name} on ${host.name} writes to the disk: stop it, or freeze the disk.`;
    throw new HypervisorError('volume_in_use', message, {
      details: { host: host.name, domain: writer.name },
    });
  }

  private async isWhole(host: HostRef, volumeName: string): Promise<boolean> {
    const names = (await listPool(this.virsh, host, host.diskPool)).map((entry) => entry.name);
    return names.includes(volumeName) && !names.includes(partMark(volumeName));
  }

  private async isMarked(host: HostRef, volumeName: string): Promise<boolean> {
    const entries = await listPool(this.virsh, host, host.diskPool);
    return entries.some((entry) => entry.name === partMark(volumeName));
  }

  private async read(host: HostRef, volumeName: string, pool = host.diskPool): Promise<XmlElement> {
    const args = ['vol-dumpxml', '--pool', pool, '--vol', volumeName];
    return XmlElement.parse(await this.virsh.run(host, args)).at('volume');
  }

  private mark(host: HostRef, volumeName: string): Promise<void> {
    return makeMark(this.virsh, host, host.diskPool, partMark(volumeName));
  }

  /** @throws volume_in_use while the host still writes it, for a caller that is gone */
  private async remove(host: HostRef, name: string): Promise<void> {
    const call = this.virsh.run(host, ['vol-delete', '--pool', host.diskPool, '--vol', name]);
    await call.catch((error: unknown) => {
      if (!isHypervisorError(error, 'volume_missing')) throw error;
    });
  }

  private pass<T>(host: HostRef, work: () => Promise<T>): Promise<T> {
    const gate = this.gates.get(host.uri) ?? new Gate(AT_ONCE_PER_HOST);
    this.gates.set(host.uri, gate);
    return gate.pass(work);
  }
}

/** On disk, and as long as it was there. */
async function settleWhole(host: HostRef, volumeName: string, path: string, bytes: number): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
    if ((await file.stat()).size === bytes) return;
  } finally {
    await file.close();
  }
  throw new HypervisorError('host_unreachable', `Volume ${volumeName} did not arrive whole.`, {
    details: { host: host.name },
  });
}
