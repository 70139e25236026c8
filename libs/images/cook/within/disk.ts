import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BYTES_PER_GIB } from '#libs/kernel';
import type { DiskIdentities } from '../identities.ts';
import { runTool, type ToolOptions } from '../run-tool.ts';
import { espContent, installBiosLoader, layout } from './boot-loader.ts';

export interface DiskOptions {
  readonly rootDir: string;
  /** The raw disk to write: an empty file. */
  readonly rawPath: string;
  readonly scratchDir: string;
  readonly diskGib: number;
  readonly identities: DiskIdentities;
  readonly epochSeconds: number;
  readonly onProgress: (percent: number, message: string) => void;
}

/**
 * Writes a whole disk from an unpacked root: partition table, boot loader for BIOS and UEFI, and both file
 * systems at their offsets in the file. It takes no loop device and no mount.
 */
export async function writeDisk(options: DiskOptions): Promise<void> {
  const { rawPath, rootDir, epochSeconds, onProgress } = options;
  const tool: ToolOptions = {
    env: {
      SOURCE_DATE_EPOCH: String(epochSeconds),
      E2FSPROGS_FAKE_TIME: String(epochSeconds),
      MTOOLS_SKIP_CHECK: '1',
    },
  };
  onProgress(0, 'partition table and boot loader');
  await partition(options, tool);
  await installBiosLoader(rawPath, rootDir);
  onProgress(10, 'EFI system partition');
  await writeEsp(options, tool);
  onProgress(20, 'root file system');
  await writeRoot(options, tool);
  onProgress(75, 'times of the root file system');
  await settleInodeTimes(options, tool);
}

async function partition(options: DiskOptions, tool: ToolOptions): Promise<void> {
  const { rawPath, identities, diskGib } = options;
  const handle = await open(rawPath, 'r+');
  await handle.truncate(diskGib * BYTES_PER_GIB);
  await handle.close();
  const { biosBoot, esp, root } = layout;
  const script = [
    'label: gpt',
    `label-id: ${identities.diskUuid}`,
    'unit: sectors',
    `start=${biosBoot.start}, size=${biosBoot.sectors}, uuid=${identities.biosBootUuid}, name="BIOS boot", ` +
      'type=21686148-6449-6E6F-744E-656564454649',
    `start=${esp.start}, size=${esp.sectors}, uuid=${identities.espUuid}, name="EFI system", ` +
      'type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
    `start=${root.start}, size=${rootSectors(diskGib)}, uuid=${identities.rootPartitionUuid}, name="root", ` +
      'type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709\n',
  ];
  const argv = ['sfdisk', '--quiet', '--no-reread', '--no-tell-kernel', '--wipe=never', rawPath] as const;
  await runTool([...argv], { ...tool, input: script.join('\n') });
}

function rootSectors(diskGib: number): number {
  return (diskGib * BYTES_PER_GIB) / layout.sectorBytes - layout.root.start - layout.tailSectors;
}

async function writeEsp(options: DiskOptions, tool: ToolOptions): Promise<void> {
  const { rawPath, rootDir, scratchDir, identities } = options;
  const { start, sectors } = layout.esp;
  const format = ['-F', '32', '-s', '1', '-n', 'EFI', '-i', identities.espSerial, '--invariant'];
  await runTool(['mkfs.vfat', ...format, `--offset=${start}`, rawPath, String(sectors / 2)], tool);
  const image = `${rawPath}@@${start * layout.sectorBytes}`;
  await runTool(['mmd', '-i', image, '::EFI', '::EFI/BOOT', '::EFI/debian'], tool);
  await mkdir(scratchDir, { recursive: true });
  for (const { path, from, text } of espContent(identities)) {
    const source = from === undefined ? join(scratchDir, 'esp-file') : join(rootDir, from);
    if (text !== undefined) await writeFile(source, text);
    await runTool(['mcopy', '-i', image, source, `::${path}`], tool);
  }
}

async function writeRoot(options: DiskOptions, tool: ToolOptions): Promise<void> {
  const { rawPath, rootDir, identities, diskGib } = options;
  const offset = layout.root.start * layout.sectorBytes;
  const extended = [
    `offset=${offset}`,
    `hash_seed=${identities.hashSeedUuid}`,
    'root_owner=0:0',
    'nodiscard',
    // Otherwise each server would write gigabytes of zeros into its overlay during its first minutes.
    'lazy_itable_init=0,lazy_journal_init=0',
  ];
  const settings = [
    '-t',
    'ext4',
    '-b',
    '4096',
    '-m',
    '1',
    '-J',
    'size=32',
    '-O',
    '^orphan_file,^metadata_csum_seed',
  ];
  const identity = ['-L', 'root', '-U', identities.rootFilesystemUuid, '-E', extended.join(',')];
  const sizeKib = (rootSectors(diskGib) * layout.sectorBytes) / 1024;
  await runTool(
    ['mke2fs', '-F', '-q', ...settings, ...identity, '-d', rootDir, rawPath, `${sizeKib}k`],
    tool,
  );
}

/**
 * mke2fs copies from each file when it was changed, which no call can set, and when it was read, which the
 * cook itself goes on doing. The file system's own editor gives both one value.
 */
async function settleInodeTimes(options: DiskOptions, tool: ToolOptions): Promise<void> {
  const device = `${options.rawPath}?offset=${layout.root.start * layout.sectorBytes}`;
  const used = usedInodes(await runTool(['dumpe2fs', device], tool));
  const commands = used.flatMap((inode) =>
    ['ctime', 'atime'].map((field) => `set_inode_field <${inode}> ${field} @${options.epochSeconds}\n`),
  );
  const script = join(options.scratchDir, 'inode-times');
  await writeFile(script, commands.join(''));
  await runTool(['debugfs', '-w', '-f', script, device], tool);
}

/** `report` is what dumpe2fs writes: it names the free inodes of each group. 1 to 10 are ext4's own. */
export function usedInodes(report: string): number[] {
  const [, total = '0'] = /^Inode count:\s+(\d+)$/m.exec(report) ?? [];
  const free = new Set<number>();
  for (const [, ranges = ''] of report.matchAll(/^ {2}Free inodes: (.*)$/gm)) {
    for (const range of ranges.split(', ').filter(Boolean)) {
      const [first = 0, last = first] = range.split('-').map(Number);
      for (let inode = first; inode <= last; inode += 1) free.add(inode);
    }
  }
  const all = Array.from({ length: Number(total) }, (_, index) => index + 1);
  return all.filter((inode) => (inode === 2 || inode > 10) && !free.has(inode));
}
