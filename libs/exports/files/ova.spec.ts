import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subject } from './export-subject.fixture.ts';
import { makeExport } from './make-export.ts';
import { ustarHeader } from './ustar.ts';

const run = promisify(execFile);
const GIB = 1024 ** 3;

let folder: string;
let ova: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-ova-'));
  const diskPath = join(folder, 'flat.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', diskPath, '3G']);
  const manifest = await makeExport({ diskPath, format: 'ova', subject, folder: join(folder, 'export') });
  ova = join(folder, 'export', manifest.file.name);
  await run('tar', ['-x', '-f', ova, '-C', folder]);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('an OVA', () => {
  it('is a plain ustar archive: the descriptor first, the disk, the checksums last', async () => {
    const { stdout } = await run('tar', ['-t', '-f', ova]);
    expect(stdout.trim().split('\n')).toEqual([
      'shop.example.ovf',
      'shop.example-disk1.vmdk',
      'shop.example.mf',
    ]);
    const { stdout: kind } = await run('tar', ['-t', '-v', '--utc', '--full-time', '-f', ova]);
    expect(kind).toMatch(/^-rw-r--r-- root\/root +\d+ 2026-03-04 05:06:07 shop\.example\.ovf$/m);
  });

  it('has checksums that sha256sum agrees with', async () => {
    const lines = (await readFile(join(folder, 'shop.example.mf'), 'utf8')).trim().split('\n');
    const asSha256sum = lines.map((line) => line.replace(/^SHA256\((.+)\)= (\w+)$/, '$2  $1'));
    await writeFile(join(folder, 'sums'), `${asSha256sum.join('\n')}\n`);
    const { stdout } = await run('sha256sum', ['--check', '--strict', 'sums'], { cwd: folder });
    expect(stdout).toBe('shop.example.ovf: OK\nshop.example-disk1.vmdk: OK\n');
  });

  it('is read by another importer (virt-v2v), checksums included, as the server that it is', async () => {
    const printed = await readByVirtV2v(ova);
    expect(printed).toMatch(/source name: shop\.example$/m);
    expect(printed).toMatch(new RegExp(`memory: ${1.5 * GIB} \\(bytes\\)$`, 'm'));
    expect(printed).toMatch(/nr vCPUs: 3$/m);
    expect(printed).toMatch(/firmware: uefi$/m);
    expect(printed).toMatch(/"VM Network" mac: 52:54:00:12:34:56 \[vmxnet3\]$/m);
  });

  it('of a disk that starts by BIOS alone hangs it on what firmware of that kind starts from', async () => {
    const diskPath = join(folder, 'flat.qcow2');
    const bios = { ...subject, name: 'old.example', firmware: ['bios' as const] };
    await makeExport({ diskPath, format: 'ova', subject: bios, folder: join(folder, 'bios') });
    const path = join(folder, 'bios', 'old.example.ova');
    const { stdout: descriptor } = await run('tar', ['-x', '-O', '-f', path, 'old.example.ovf']);
    expect(descriptor).toContain('<rasd:ResourceSubType>vmware.sata.ahci</rasd:ResourceSubType>');
    expect(descriptor).not.toMatch(/EFI|nvme/i);
    expect(await readByVirtV2v(path)).toMatch(/firmware: bios$/m);
  });

  it('is refused by that importer when a byte of its descriptor differs', async () => {
    const bytes = await readFile(ova);
    bytes[bytes.indexOf('A server')] = 'B'.charCodeAt(0);
    const spoilt = join(folder, 'spoilt.ova');
    await writeFile(spoilt, bytes);
    await expect(readByVirtV2v(spoilt)).rejects.toMatchObject({
      stderr: expect.stringContaining('checksum of disk shop.example.ovf does not match'),
    });
  });

  it('holds a stream-optimized disk with an identity that follows from the server', async () => {
    const head = (await readFile(join(folder, 'shop.example-disk1.vmdk'))).subarray(0, 64 * 1024);
    expect(head.readUInt32LE(4)).toBe(3);
    const descriptor = head.toString('latin1');
    expect(descriptor).toContain('createType="streamOptimized"');
    expect(descriptor).toContain('parentCID=ffffffff');
  });
});

/** What virt-v2v makes of the archive, before it would convert anything. */
async function readByVirtV2v(path: string): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', LIBGUESTFS_BACKEND: 'direct', VIRT_V2V_TMPDIR: folder };
  const { stdout } = await run('virt-v2v', ['-i', 'ova', path, '--print-source'], { env });
  return stdout;
}

describe('the header of a file in an archive', () => {
  it('tells sizes below and beyond 8 GiB as GNU tar reads them', async () => {
    for (const sizeBytes of [0, 8 * GIB - 1, 8 * GIB, 3000 * GIB]) {
      const path = join(folder, 'header.tar');
      await writeFile(path, ustarHeader({ name: 'disk.vmdk', sizeBytes, mtimeSeconds: 0 }));
      const { stdout } = await run('sh', ['-c', 'tar -t -v -f "$1" 2>/dev/null || true', 'sh', path]);
      expect(stdout.split(/\s+/)[2]).toBe(String(sizeBytes));
    }
  });
});
