import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BYTES_PER_MIB } from '#libs/kernel';

const exec = promisify(execFile);

/** Planted files, and a secret beside them that no disk may bring home. */
export interface Ground extends AsyncDisposable {
  readonly folder: string;
  readonly secret: string;
  readonly secretPath: string;
  /** Writes a file and gives its path. */
  plant(name: string, bytes: Buffer | string): Promise<string>;
  qemuImg(...args: string[]): Promise<string>;
  path(name: string): string;
}

export async function ground(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-disks-'));
  const secret = `canary-${randomBytes(16).toString('hex')}`;
  const path = (name: string) => join(folder, name);
  await writeFile(path('secret'), secret.padEnd(64 * 1024, secret));
  return {
    folder,
    secret,
    secretPath: path('secret'),
    path,
    plant: async (name, bytes) => {
      await writeFile(path(name), bytes);
      return path(name);
    },
    qemuImg: async (...args) => (await exec('qemu-img', args, { cwd: folder })).stdout,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A raw disk of 4 MiB: a boot sector, and noise that compresses badly in its second half. */
export function rawDisk(): Buffer {
  const disk = Buffer.alloc(4 * BYTES_PER_MIB);
  disk.writeUInt16LE(0xaa55, 510);
  disk[0] = 0xeb;
  randomBytes(BYTES_PER_MIB).copy(disk, 2 * BYTES_PER_MIB);
  return disk;
}

/** The same disk in every format, by QEMU's own hand. */
export async function realDisks(at: Ground): Promise<Readonly<Record<RealDisk, string>>> {
  const raw = await at.plant('disk.raw', rawDisk());
  const made: Partial<Record<RealDisk, string>> = { raw };
  for (const [name, [driver, ...options]] of Object.entries(CONVERSIONS)) {
    const path = at.path(`disk.${name}`);
    await at.qemuImg('convert', '-f', 'raw', '-O', driver, ...options, raw, path);
    made[name as RealDisk] = path;
  }
  return made as Record<RealDisk, string>;
}

const CONVERSIONS = {
  qcow2: ['qcow2'],
  'qcow2-v2': ['qcow2', '-o', 'compat=0.10'],
  'qcow2-zstd': ['qcow2', '-c', '-o', 'compression_type=zstd'],
  'qcow2-extended': ['qcow2', '-o', 'extended_l2=on'],
  vmdk: ['vmdk', '-o', 'subformat=monolithicSparse'],
  'vmdk-stream': ['vmdk', '-o', 'subformat=streamOptimized'],
  vdi: ['vdi'],
  'vdi-static': ['vdi', '-o', 'static=on'],
  vhd: ['vpc', '-o', 'subformat=dynamic,force_size=on'],
  'vhd-fixed': ['vpc', '-o', 'subformat=fixed,force_size=on'],
  vhdx: ['vhdx'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type RealDisk = 'raw' | keyof typeof CONVERSIONS;

/** A copy of a file with bytes of it changed. */
export async function changed(path: string, change: (bytes: Buffer) => Buffer | undefined): Promise<Buffer> {
  const bytes = await readFile(path);
  return change(bytes) ?? bytes;
}

/** One file of a tar archive, with what an attacker would change about its header. */
export interface Packed {
  readonly name: string;
  readonly bytes: Buffer | string;
  readonly type?: string;
  readonly linkTo?: string;
}

export function tar(members: readonly Packed[]): Buffer {
  const parts = members.flatMap(({ name, bytes, type = '0', linkTo = '' }) => {
    const content = Buffer.from(bytes as string);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`0000644\0${'0000000\0'.repeat(2)}`, 100);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0        ${type}`, 124);
    header.write(linkTo, 157);
    header.write('ustar\u000000', 257);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** An OVF description of one machine with one disk of 4 MiB. */
export function ovf(href: string, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${more}
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References><File ovf:id="file1" ovf:href="${href}"/></References>
  <DiskSection><Info>Disks</Info><Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="4"
    ovf:capacityAllocationUnits="byte * 2^20" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
  <VirtualSystem ovf:id="shop &amp; till"><OperatingSystemSection><Description>Debian 12</Description></OperatingSystemSection>
    <VirtualHardwareSection>
      <Item><ResourceType>3</ResourceType><VirtualQuantity>2</VirtualQuantity></Item>
      <Item><ResourceType>4</ResourceType><AllocationUnits>MegaBytes</AllocationUnits><VirtualQuantity>2048</VirtualQuantity></Item>
      <Item><ResourceType>17</ResourceType><HostResource>ovf:/disk/vmdisk1</HostResource></Item>
    </VirtualHardwareSection></VirtualSystem>
</Envelope>`;
}
