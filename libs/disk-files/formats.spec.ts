import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BYTES_PER_MIB } from '#libs/kernel';
import { convertDisk } from './convert-disk.ts';
import type { DiskFormat } from './disk-facts.ts';
import { parseBytes } from './parse-bytes.fixture.ts';
import { changed, type Ground, ground, ovf, type RealDisk, realDisks, tar } from './planted.fixture.ts';

const formatOf = (name: string) => name.replace(/-.*/, '') as DiskFormat;

describe('the parser', () => {
  let at: Ground;
  let disks: Readonly<Record<RealDisk, string>>;
  let stream: Buffer;

  beforeAll(async () => {
    at = await ground();
    disks = await realDisks(at);
    stream = await readFile(disks['vmdk-stream']);
  });
  afterAll(() => at[Symbol.asyncDispose]());

  it('takes what QEMU writes, in each format, with its size', async () => {
    for (const [name, path] of Object.entries(disks)) {
      const { disks: found } = parseBytes(await readFile(path), formatOf(name));
      expect(found, name).toMatchObject([{ format: formatOf(name), virtualSizeBytes: 4 * BYTES_PER_MIB }]);
      expect(found[0]?.allocatedBytes ?? BYTES_PER_MIB, name).toBeGreaterThanOrEqual(BYTES_PER_MIB / 2);
    }
    expect(parseBytes(await readFile(disks.raw), 'raw').disks[0]?.partitionTable).toBe('mbr');
  });

  it('gives back the same bytes from each format (needs root or user namespaces, and bubblewrap)', async () => {
    const ova = tar([
      { name: 'a.ovf', bytes: ovf('a.vmdk') },
      { name: 'a.vmdk', bytes: stream },
    ]);
    const all = { ...disks, ova: await at.plant('disk.ova', ova) };
    for (const [name, path] of Object.entries(all)) {
      const to = at.path(`${name}.out`);
      const seen: number[] = [];
      const made = await convertDisk({
        path,
        format: formatOf(name),
        to,
        onProgress: (percent) => seen.push(percent),
      });
      expect(made.virtualSizeBytes, name).toBe(4 * BYTES_PER_MIB);
      expect(seen.at(-1), name).toBe(100);
      await at.qemuImg('compare', '-f', 'raw', '-F', 'qcow2', disks.raw, to);
    }
  });

  const refusals: [string, RealDisk, string, (bytes: Buffer) => unknown][] = [
    ['absurd clusters', 'qcow2', 'disk_malformed', (disk) => disk.writeUInt32BE(63, 20)],
    ['an absurd L1 table', 'qcow2', 'disk_malformed', (disk) => disk.writeUInt32BE(0xffff_ffff, 36)],
    ['an absurd refcount order', 'qcow2', 'disk_malformed', (disk) => disk.writeUInt32BE(64, 96)],
    [
      'an offset that overflows',
      'qcow2',
      'disk_malformed',
      (disk) => disk.writeBigUInt64BE(2n ** 64n - 65536n, 40),
    ],
    [
      'tables over each other',
      'qcow2',
      'disk_malformed',
      (disk) => disk.writeBigUInt64BE(disk.readBigUInt64BE(48), 40),
    ],
    [
      'an L1 table within itself',
      'qcow2',
      'disk_malformed',
      (disk) => disk.writeBigUInt64BE(disk.readBigUInt64BE(40), Number(disk.readBigUInt64BE(40))),
    ],
    ['2^63 bytes', 'qcow2', 'disk_too_large', (disk) => disk.writeBigUInt64BE(2n ** 63n, 24)],
    ['encryption', 'qcow2', 'disk_encrypted', (disk) => disk.writeUInt32BE(2, 32)],
    ['snapshots', 'qcow2', 'disk_has_snapshots', (disk) => disk.writeUInt32BE(1, 60)],
    ['unknown features', 'qcow2', 'disk_unsupported', (disk) => disk.writeBigUInt64BE(1n << 40n, 72)],
    ['the mark of a corrupt disk', 'qcow2', 'disk_needs_repair', (disk) => disk.writeBigUInt64BE(2n, 72)],
    ['an unknown compression', 'qcow2-zstd', 'disk_unsupported', (disk) => disk.writeUInt8(7, 104)],
    ['version 1', 'qcow2', 'disk_unsupported', (disk) => disk.writeUInt32BE(1, 4)],
    [
      'no capacity, which makes QEMU follow its descriptor',
      'vmdk',
      'disk_refers_elsewhere',
      (disk) => disk.writeBigUInt64LE(0n, 12),
    ],
    [
      'an absolute flat extent',
      'vmdk',
      'disk_refers_elsewhere',
      (disk) => replaceText(disk, /RW \d+ SPARSE "[^"]*"/, 'RW 8 FLAT "/etc/shadow" 0'),
    ],
    [
      'an absolute sparse extent',
      'vmdk',
      'disk_refers_elsewhere',
      (disk) => replaceText(disk, /RW \d+ SPARSE "[^"]*"/, 'RW 8 SPARSE "/etc/x"'),
    ],
    [
      'a device',
      'vmdk',
      'disk_refers_elsewhere',
      (disk) => replaceText(disk, /monolithicSparse/, 'fullDevice'),
    ],
    [
      'a parent',
      'vmdk',
      'disk_refers_elsewhere',
      (disk) => replaceText(disk, /parentCID=ffffffff/, 'parentCID=12345678'),
    ],
    ['2^63 sectors', 'vmdk', 'disk_too_large', (disk) => disk.writeBigUInt64LE(2n ** 63n, 12)],
    ['an absurd grain', 'vmdk', 'disk_malformed', (disk) => disk.writeBigUInt64LE(3n, 20)],
    ['a parent', 'vdi', 'disk_refers_elsewhere', (disk) => disk.writeUInt32LE(1, 0x1b8)],
    [
      'a block twice',
      'vdi',
      'disk_malformed',
      (disk) => disk.writeUInt32LE(disk.readUInt32LE(disk.readUInt32LE(0x154)), disk.readUInt32LE(0x154) + 4),
    ],
    [
      'blocks that are not those of its size',
      'vdi',
      'disk_malformed',
      (disk) => disk.writeUInt32LE(0xffff_ffff, 0x180),
    ],
    ['a damaged footer', 'vhd', 'disk_malformed', (disk) => disk.writeUInt8(1, disk.length - 20)],
    [
      'the type of a differencing disk',
      'vhd-fixed',
      'disk_refers_elsewhere',
      (disk) => vhdFooter(disk, (footer) => footer.writeUInt32BE(4, 60)),
    ],
    [
      '2^63 bytes',
      'vhd-fixed',
      'disk_too_large',
      (disk) => vhdFooter(disk, (footer) => footer.writeBigUInt64BE(2n ** 63n, 48)),
    ],
    ['damaged headers', 'vhdx', 'disk_malformed', (disk) => disk.fill(0, 65536, 192 * 1024)],
    ['a damaged region table', 'vhdx', 'disk_malformed', (disk) => disk.writeUInt8(1, 192 * 1024 + 100)],
  ];

  it.each(refusals)('refuses %s (%s): %s', async (_what, name, code, change) => {
    const bytes = await changed(disks[name], (disk) => {
      change(disk);
      return disk;
    });
    expect(() => parseBytes(bytes, formatOf(name))).toThrow(expect.objectContaining({ code }));
  });

  it('takes a stream whose directory is found by its footer, and refuses one that was cut', () => {
    const header = Buffer.from(stream.subarray(0, 512));
    const marker = Buffer.alloc(512);
    marker.writeUInt8(1);
    marker.writeUInt8(3, 12);
    const begun = Buffer.from(stream);
    begun.writeBigUInt64LE(2n ** 64n - 1n, 56);
    const whole = Buffer.concat([begun, marker, header, Buffer.alloc(512)]);
    expect(parseBytes(whole, 'vmdk').disks).toMatchObject([{ virtualSizeBytes: 4 * BYTES_PER_MIB }]);
    for (const cut of [begun, whole.subarray(0, -512), whole.subarray(0, -1024)]) {
      expect(() => parseBytes(cut, 'vmdk')).toThrow(expect.objectContaining({ code: 'disk_malformed' }));
    }
  });

  it('refuses what is cut off anywhere', async () => {
    for (const [name, path] of Object.entries(disks).filter(([name]) => name !== 'raw')) {
      const bytes = await readFile(path);
      for (const length of [1, 64, 511, 512, 600]) {
        expect(() => parseBytes(bytes.subarray(0, length), formatOf(name)), `${name} ${length}`).toThrow();
      }
    }
  });

  it('refuses a VMDK that is a descriptor with an absolute flat extent (CVE-2024-32498)', () => {
    const descriptor = Buffer.from(
      '# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/shadow" 0\n'.padEnd(
        1024,
      ),
    );
    expect(() => parseBytes(descriptor, 'vmdk')).toThrow(
      expect.objectContaining({ code: 'disk_refers_elsewhere' }),
    );
    expect(() => parseBytes(descriptor, 'raw')).toThrow(
      expect.objectContaining({ code: 'disk_format_mismatch' }),
    );
    const disguised = Buffer.from('#\n\n# x\n   version = 1\nRW 8 FLAT "/etc/shadow" 0\n'.padEnd(1024));
    expect(() => parseBytes(disguised, 'raw')).toThrow(
      expect.objectContaining({ code: 'disk_format_mismatch' }),
    );
  });

  describe('of archives', () => {
    const code = (wanted: string) => expect.objectContaining({ code: wanted });
    const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

    it('takes a machine whose checksums hold, and says what it says of itself', () => {
      const description = ovf('a.vmdk');
      const manifest = `SHA256(a.ovf)= ${sha256(description)}\nSHA256(a.vmdk)= ${sha256(stream)}\n`;
      const found = parseBytes(
        tar([
          { name: 'a.ovf', bytes: description },
          { name: 'a.mf', bytes: manifest },
          { name: 'a.vmdk', bytes: stream },
        ]),
        'ova',
      );
      expect(found.machine).toEqual({
        name: 'shop & till',
        cpus: 2,
        memoryMib: 2048,
        firmware: null,
        operatingSystem: 'Debian 12',
      });
      expect(found.disks).toMatchObject([
        { name: 'a.vmdk', format: 'vmdk', virtualSizeBytes: 4 * BYTES_PER_MIB },
      ]);
    });

    it.each([
      ['leads out of it', { name: '../a.vmdk' }],
      ['is absolute', { name: '/etc/passwd' }],
      ['is a symbolic link', { name: 'a.vmdk', type: '2', linkTo: '/etc/shadow' }],
      ['is a hard link', { name: 'a.vmdk', type: '1', linkTo: '/etc/shadow' }],
      ['is a device', { name: 'a.vmdk', type: '3' }],
      ['is sparse in GNU’s manner', { name: 'a.vmdk', type: 'S' }],
      ['has a long name', { name: '././@LongLink', type: 'L' }],
      ['is an extended header', { name: 'pax', type: 'x' }],
      ['is there twice', { name: 'a.ovf' }],
    ])('refuses a file that %s', (_what, member) => {
      const archive = tar([
        { name: 'a.ovf', bytes: ovf('a.vmdk') },
        { bytes: '', ...member },
      ]);
      expect(() => parseBytes(archive, 'ova')).toThrow(code('archive_unsafe'));
    });

    it.each([
      ['an external entity', '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/shadow">]>'],
      ['entities that grow', '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'],
      ['an instruction', '<?php x ?>'],
    ])('refuses a description with %s', (_what, more) => {
      const archive = tar([
        { name: 'a.ovf', bytes: ovf('a.vmdk', more) },
        { name: 'a.vmdk', bytes: stream },
      ]);
      expect(() => parseBytes(archive, 'ova')).toThrow(code('archive_description_invalid'));
    });

    it('refuses a description of absurd depth, and one that uses an entity', () => {
      for (const bytes of ['<a>'.repeat(100_000), ovf('a.vmdk').replace('Debian', '&xxe;')]) {
        expect(() => parseBytes(tar([{ name: 'a.ovf', bytes }]), 'ova')).toThrow(
          code('archive_description_invalid'),
        );
      }
    });

    it.each(['/etc/shadow', '../a.vmdk', 'http://127.0.0.1/a.vmdk', 'file:a.vmdk'])(
      'refuses a disk at %s',
      (href) => {
        const archive = tar([
          { name: 'a.ovf', bytes: ovf(href) },
          { name: 'a.vmdk', bytes: stream },
        ]);
        expect(() => parseBytes(archive, 'ova')).toThrow(code('disk_refers_elsewhere'));
      },
    );

    it('refuses checksums that do not hold, and manifests that leave the disk out', () => {
      const members = [
        { name: 'a.ovf', bytes: ovf('a.vmdk') },
        { name: 'a.vmdk', bytes: stream },
      ];
      const wrong = `SHA256(a.vmdk)= ${'0'.repeat(64)}`;
      expect(() => parseBytes(tar([...members, { name: 'a.mf', bytes: wrong }]), 'ova')).toThrow(
        code('archive_checksum_mismatch'),
      );
      expect(() => parseBytes(tar([...members, { name: 'a.mf', bytes: '' }]), 'ova')).toThrow(
        code('archive_description_invalid'),
      );
    });

    it('refuses a disk that is none, or not what was described', () => {
      const descriptor = '# Disk DescriptorFile\nversion=1\nRW 8 FLAT "/etc/shadow" 0\n'.padEnd(1024);
      const archive = (bytes: string) =>
        tar([
          { name: 'a.ovf', bytes: ovf('a.vmdk') },
          { name: 'a.vmdk', bytes },
        ]);
      expect(() => parseBytes(archive(descriptor), 'ova')).toThrow(code('disk_refers_elsewhere'));
      expect(() => parseBytes(archive('QFI\u00fb'.padEnd(1024)), 'ova')).toThrow(
        code('disk_format_mismatch'),
      );
    });
  });
});

function replaceText(disk: Buffer, what: RegExp, by: string): void {
  const text = disk.toString('latin1', 512, 512 + 20 * 512);
  const found = what.exec(text);
  if (!found) throw new Error(`nothing to replace: ${what}`);
  const end = text.indexOf('\0', found.index);
  const rest = text.slice(found.index + found[0].length, end);
  disk.fill(0, 512 + found.index, 512 + end);
  disk.write(by + rest, 512 + found.index, 'latin1');
}

function vhdFooter(disk: Buffer, change: (footer: Buffer) => unknown): void {
  const footer = disk.subarray(-512);
  change(footer);
  footer.writeUInt32BE(0, 64);
  footer.writeUInt32BE(~footer.reduce((all, byte) => all + byte, 0) >>> 0, 64);
}
