import { describe, expect, it } from 'vitest';
import { memoryBytes } from '../byte-source.ts';
import { ground } from '../planted.fixture.ts';
import { extDisk, folderOf, gptDisk } from './disks.fixture.ts';
import { findBoot, findFileSystems } from './find-boot.ts';

const BIOS_BOOT = '21686148-6449-6E6F-744E-656564454649';
const loader = { 'EFI/BOOT/BOOTX64.EFI': 'MZ of a loader', 'EFI/debian/grub.cfg': 'x' };

/** With code in its first sector, as partitioning tools leave it too. */
function withCode(disk: Buffer): Buffer {
  const copy = Buffer.from(disk);
  copy.write('\xfa\x31\xc0', 0, 'latin1');
  return copy;
}

const waysOf = (disk: Buffer) => {
  const { bios, uefi } = findBoot(memoryBytes(disk));
  return [bios && 'bios', uefi && 'uefi'].filter(Boolean).join(' ');
};

describe('how a disk can be started', () => {
  it.each(['12', '16', '32'] as const)('is seen in an EFI system partition with FAT%s', async (bits) => {
    await using at = await ground();
    const disk = await gptDisk(at, await folderOf(at, 'esp-files', loader), { bits });
    expect(waysOf(disk)).toBe('uefi');
    // Code that a partitioning tool left is no loader.
    expect(waysOf(withCode(disk))).toBe('uefi');
    expect(findFileSystems(memoryBytes(disk))).toEqual(['fat']);
  });

  it('is by BIOS where a loader has its place', async () => {
    await using at = await ground();
    const files = await folderOf(at, 'esp-files', { ...loader, 'EFI/BOOT/BOOTX64.EFI': 'no program' });
    const gpt = await gptDisk(at, files, { types: ['U', BIOS_BOOT] });
    expect([waysOf(gpt), waysOf(withCode(gpt))]).toEqual(['', 'bios']);
    const mbr = await extDisk(at, files, 'ext4');
    expect([waysOf(mbr), waysOf(withCode(mbr))]).toEqual(['', 'bios']);
    expect(findFileSystems(memoryBytes(mbr))).toEqual(['ext']);
  });

  it('does not depend on a loader elsewhere than where firmware looks', async () => {
    await using at = await ground();
    const { 'EFI/BOOT/BOOTX64.EFI': moved, ...others } = loader;
    const files = await folderOf(at, 'esp-files', { ...others, 'EFI/debian/grubx64.efi': moved });
    expect(waysOf(await gptDisk(at, files))).toBe('');
  });
});
