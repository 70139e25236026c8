import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../../../test/lab/index.ts';
import { buildTinyGuest, type TinyGuest } from '../../../test/lab/tiny-guest.ts';
import { OUR_DEVICES } from '../port/devices.ts';
import type { VolumeCopy } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import { LibvirtHypervisor } from './index.ts';

const run = promisify(execFile);
const DISK = 'disk.qcow2';

let folder: string;
let lab: Lab;
let host: HostRef;
let image: TinyGuest;
let hypervisor: LibvirtHypervisor;

const virsh = (...args: string[]) => run('virsh', ['-q', '-c', host.uri, ...args]);
const copyTo = (volumeName: string, format: VolumeCopy['format'] = 'qcow2'): VolumeCopy => ({
  volumeName,
  fromVolumeName: DISK,
  format,
});
const namesInPool = async () => (await virsh('vol-list', '--pool', host.diskPool)).stdout;

/** Fetches a copy and compares what a guest would see with the image beneath the disk. */
async function expectImageIn(volumeName: string, format: VolumeCopy['format']): Promise<void> {
  const path = join(folder, volumeName);
  await hypervisor.downloadVolume(host, volumeName, path);
  const { stdout } = await run('qemu-img', ['compare', '-f', 'qcow2', '-F', format, image.path, path]);
  expect(stdout).toContain('Images are identical.');
  await rm(path);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-copies-'));
  lab = await startLab({ folder: join(folder, 'lab'), hosts: 1 });
  const { hosts, pools, network } = lab.description;
  host = {
    id: 1,
    name: hosts[0]?.name ?? '',
    uri: hosts[0]?.uri ?? '',
    domainType: 'qemu',
    imagePool: pools.images,
    diskPool: pools.disks,
    bridge: network.bridge,
  };
  hypervisor = new LibvirtHypervisor({ installationId: 'here' });
  image = await buildTinyGuest('.servery-test/tiny');
  await hypervisor.importImage(host, { volumeName: 'tiny', ...image });
  await hypervisor.createOverlay(host, { volumeName: DISK, base: { image: 'tiny' }, sizeGib: 1 });
});

afterAll(async () => {
  hypervisor?.[Symbol.dispose]();
  await lab?.stop({ purge: true });
  await rm(folder, { recursive: true, force: true });
});

describe('a copy of an overlay', () => {
  it.each(['qcow2', 'raw'] as const)('holds as %s what lies beneath it', async (format) => {
    const copy = copyTo(`whole.${format}`, format);
    await hypervisor.flattenVolume(host, copy);
    await expectImageIn(copy.volumeName, format);
    const xml = (await virsh('vol-dumpxml', '--pool', host.diskPool, '--vol', copy.volumeName)).stdout;
    expect(xml).not.toContain('<backingStore>');
    await hypervisor.deleteVolume(host, copy.volumeName);
    expect(await namesInPool()).not.toContain(copy.volumeName);
  });

  it('that was left half made is not brought, and is made anew', async () => {
    const copy = copyTo('half.qcow2');
    for (const name of [copy.volumeName, `${copy.volumeName}.servery-part`]) {
      await virsh('vol-create-as', host.diskPool, name, '1M', '--format', 'raw');
    }
    const early = hypervisor.downloadVolume(host, copy.volumeName, join(folder, 'early'));
    await expect(early).rejects.toMatchObject({ code: 'volume_missing' });
    await hypervisor.flattenVolume(host, copy);
    await expectImageIn(copy.volumeName, 'qcow2');
    expect(await namesInPool()).not.toContain('servery-part');
    await hypervisor.deleteVolume(host, copy.volumeName);
  });

  it('that is called off is not taken for whole, and can be made later', async () => {
    const copy = copyTo('called-off.qcow2');
    const call = hypervisor.flattenVolume(host, copy, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'host_timeout', retryable: true });
    const early = hypervisor.downloadVolume(host, copy.volumeName, join(folder, 'early'));
    await expect(early).rejects.toMatchObject({ code: 'volume_missing' });
    await expect
      .poll(() => hypervisor.flattenVolume(host, copy).then(() => 'made', String), { timeout: 60_000 })
      .toBe('made');
    await expectImageIn(copy.volumeName, 'qcow2');
    await hypervisor.deleteVolume(host, copy.volumeName);
  });

  it('leaves nothing on this machine where it has no room', async () => {
    const copy = copyTo('large.raw', 'raw');
    await hypervisor.flattenVolume(host, copy);
    const small = join(folder, 'small');
    await mkdir(small);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
    try {
      const call = hypervisor.downloadVolume(host, copy.volumeName, join(small, 'disk'));
      await expect(call).rejects.toMatchObject({ code: 'pool_full' });
      expect(await readdir(small)).toEqual([]);
    } finally {
      await run('umount', [small]);
    }
    await hypervisor.deleteVolume(host, copy.volumeName);
  });

  it('is made of the frozen part of a disk while its guest runs', async () => {
    const uuid = '5f3c4d5e-0000-4000-8000-000000000001';
    const network = { mac: '52:54:00:00:00:01', ipv4: lab.description.network.firstGuest };
    const size = { vcpus: 1, memoryMib: 192 };
    const named = { uuid, name: 'frozen', serverId: 1, diskVolume: DISK };
    await hypervisor.defineDomain(host, { ...named, ...size, ...network, ...OUR_DEVICES });
    await hypervisor.startDomain(host, uuid);
    try {
      const copy = copyTo('frozen.qcow2');
      await expect(hypervisor.flattenVolume(host, copy)).rejects.toMatchObject({ code: 'volume_in_use' });
      const path = (await virsh('vol-path', '--pool', host.diskPool, '--vol', DISK)).stdout.trim();
      const over = ['--diskspec', `vda,file=${path}.over`];
      await virsh('snapshot-create-as', uuid, 'now', '--disk-only', '--no-metadata', '--atomic', ...over);
      await hypervisor.flattenVolume(host, copy);
      await hypervisor.downloadVolume(host, copy.volumeName, join(folder, 'frozen'));
      await run('qemu-img', ['check', '-f', 'qcow2', join(folder, 'frozen')]);
      await hypervisor.deleteVolume(host, copy.volumeName);
    } finally {
      await hypervisor.undefineDomain(host, uuid);
    }
  });
});
