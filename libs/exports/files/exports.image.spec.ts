import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cookImage, loadRecipe } from '../../images/cook/index.ts';
import { type ExportedDisk, ExportGuest } from './export-guest.fixture.ts';
import { makeExport } from './make-export.ts';
import { EXPORT_FORMATS, type ExportFormat, type ExportSubject } from './manifest.ts';

const run = promisify(execFile);
const pathOf = (path: string) => new URL(path, import.meta.url).pathname;
const outputDir = process.env.SERVERY_IMAGES_DIR || pathOf('../../../.servery/test-images');
/** Longer than what a page cache would hold back unnoticed. */
const WRITTEN = 'head -c 3000000 /dev/urandom > /root/data && sync && sha256sum < /root/data';

let folder: string;
let guest: ExportGuest;
let subject: ExportSubject;
let written: string;

/** A server of the catalog that its customer has written to; flattened as its host would. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-exported-'));
  const recipe = await loadRecipe(pathOf('../../../catalog'), 'debian-12');
  const image = await cookImage({ recipe, outputDir });
  guest = await ExportGuest.prepare(folder, 'shop');
  await guest.firstBoot(image.diskPath);
  written = await guest.run(WRITTEN);
  await guest.powerOff();
  await run('qemu-img', [
    'convert',
    '-f',
    'qcow2',
    '-O',
    'qcow2',
    guest.diskPath,
    join(folder, 'flat.qcow2'),
  ]);
  await rm(guest.diskPath);
  subject = {
    name: 'shop',
    vcpus: 2,
    memoryMib: 1024,
    firmware: ['bios', 'uefi'],
    network: guest.network,
    image: {
      name: image.name,
      title: 'Debian 12',
      version: '12',
      osFlavor: 'debian',
      licence: 'Various free licences',
      sha256: image.sha256,
    },
    frozenAt: '2026-03-04T05:06:07.000Z',
    frozenHow: 'off',
  };
});

afterAll(async () => {
  await guest?.stop();
  await rm(folder, { recursive: true, force: true });
});

/**
 * Each start takes a minute or more under emulation: by default a file is started by the one firmware and an archive by
 * the other; with SERVERY_EVERY_START=1 each format by both. That they hold the same bytes is tested without a start.
 */
const STARTS: Readonly<Record<ExportFormat, readonly ('bios' | 'uefi')[]>> = process.env.SERVERY_EVERY_START
  ? { qcow2: ['bios', 'uefi'], raw: ['bios', 'uefi'], vmdk: ['bios', 'uefi'], ova: ['bios', 'uefi'] }
  : { qcow2: ['bios'], raw: [], vmdk: [], ova: ['uefi'] };

describe.each(EXPORT_FORMATS.filter((format) => STARTS[format].length > 0))(
  'a server taken home as %s',
  (format) => {
    let disk: ExportedDisk;

    beforeAll(async () => {
      const home = join(folder, format);
      const made = join(folder, `made-${format}`);
      const { file } = await makeExport({
        diskPath: join(folder, 'flat.qcow2'),
        format,
        subject,
        folder: made,
      });
      await mkdir(home);
      await copyFile(join(made, file.name), join(home, file.name));
      await rm(made, { recursive: true });
      disk = await unpack(home, file.name, format);
    });

    afterAll(async () => {
      await rm(join(folder, format), { recursive: true });
    });

    it.each(STARTS[format])('starts on %s with what was written to it', async (firmware) => {
      await guest.start(disk, firmware);
      try {
        expect(await guest.run('sha256sum < /root/data')).toBe(written);
        const seen = await guest.run('test -d /sys/firmware/efi && echo uefi || echo bios');
        expect(seen).toBe(firmware);
        expect(await guest.run('hostname')).toBe('shop');
      } finally {
        await guest.stop();
      }
    });
  },
);

/** As whoever takes it home would, by the tools of their system. */
async function unpack(home: string, name: string, format: ExportFormat): Promise<ExportedDisk> {
  const path = join(home, name);
  const plain = { controller: 'virtio', card: 'virtio-net-pci' } as const;
  if (format === 'raw') {
    await run('zstd', ['-q', '-d', '--rm', path]);
    return { path: path.replace(/\.zst$/, ''), format: 'raw', ...plain };
  }
  if (format !== 'ova') return { path, format, ...plain };
  await run('tar', ['-x', '-f', path, '-C', home]);
  await rm(path);
  return importOvf(home, join(home, 'shop.ovf'));
}

/** The machine that a descriptor asks for: where the disk hangs, and which card. */
async function importOvf(home: string, descriptor: string): Promise<ExportedDisk> {
  const parser = new XMLParser({ ignoreAttributes: false, removeNSPrefix: true, attributeNamePrefix: '' });
  const { Envelope } = parser.parse(await readFile(descriptor, 'utf8'));
  const items: Record<string, unknown>[] = Envelope.VirtualSystem.VirtualHardwareSection.Item;
  const typed = (type: number) => items.find((item) => item.ResourceType === type);
  expect(typed(17)?.Parent).toBe(typed(20)?.InstanceID);
  expect(typed(20)?.ResourceSubType).toBe('vmware.nvme.controller');
  expect(typed(10)?.ResourceSubType).toBe('VmxNet3');
  const path = join(home, Envelope.References.File.href);
  return { path, format: 'vmdk', controller: 'nvme', card: 'vmxnet3' };
}
