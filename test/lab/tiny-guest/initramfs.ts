import { glob, readdir, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../run.ts';
import { type ArchiveEntry, cpio } from './cpio.ts';

const FILES = fileURLToPath(new URL('files', import.meta.url));
const FOLDERS = [
  'bin',
  'dev',
  'etc/dropbear',
  'lib/modules',
  'lib64',
  'lib',
  'mnt',
  'proc',
  'root',
  'run',
  'sbin',
  'srv',
  'sys',
  'tmp',
  'usr/bin',
  'usr/sbin',
  'var',
];
const PROGRAMS = ['usr/sbin/qemu-ga', 'usr/sbin/dropbear', 'usr/bin/dropbearkey', 'usr/bin/dropbearconvert'];
const MODULES = [
  'virtio_pci',
  'virtio_blk',
  'virtio_scsi',
  'sd_mod',
  'sr_mod',
  'virtio_net',
  'virtio_console',
  'virtio-rng',
  'isofs',
  'button',
  'evdev',
];

const FILE = 0o100000;
const FOLDER = 0o040000;
const LINK = 0o120000;

/** The tiny guest's whole system, as a cpio archive. `fill` replaces `@NAME@` in its scripts. */
export async function initramfs(tree: string, fill: Readonly<Record<string, number>>): Promise<Buffer> {
  const parents = new Set(
    FOLDERS.flatMap((folder) =>
      folder.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/')),
    ),
  );
  const folders = [...parents].map((path) => ({ path, mode: FOLDER | 0o755, content: Buffer.alloc(0) }));
  return cpio([...folders, ...(await programs(tree)), ...(await modules(tree)), ...(await ownFiles(fill))]);
}

/** Debian's programs with the libraries that they load, by what its own loader says. */
async function programs(tree: string): Promise<ArchiveEntry[]> {
  const entries = new Map<string, ArchiveEntry>();
  const add = async (path: string, from = path) => {
    entries.set(path, { path, mode: FILE | 0o755, content: await readFile(`${tree}/${from}`) });
  };
  await add('bin/busybox');
  entries.set('bin/sh', { path: 'bin/sh', mode: LINK | 0o777, content: Buffer.from('busybox') });
  await add('lib64/ld-linux-x86-64.so.2');
  for (const program of PROGRAMS) {
    const link = await readFile(`${tree}/${program}`).catch(() => undefined);
    await add(program, link ? program : `usr/lib/dropbear/${basename(program)}`);
    const listing = await run('chroot', [tree, '/lib64/ld-linux-x86-64.so.2', '--list', `/${program}`]);
    for (const [, library] of listing.matchAll(/=> \/(\S+)/g))
      if (library) await add(`lib/${basename(library)}`, library);
  }
  return [...entries.values()];
}

/** Drivers in an order in which each finds what it needs, and that order for `init`. */
async function modules(tree: string): Promise<ArchiveEntry[]> {
  const paths = new Map<string, string>();
  for await (const path of glob('lib/modules/*/kernel/**/*.ko', { cwd: tree }))
    paths.set(moduleName(path), path);
  const loaded = new Map<string, Buffer>();
  const load = async (name: string) => {
    const path = paths.get(name);
    if (loaded.has(name) || !path) return;
    const content = await readFile(`${tree}/${path}`);
    for (const needed of dependencies(content)) await load(needed);
    loaded.set(name, content);
  };
  for (const name of MODULES) await load(moduleName(name));
  const order = Buffer.from([...loaded.keys()].map((name) => `${name}\n`).join(''));
  const drivers = [...loaded].map(([name, content]) => ({
    path: `lib/modules/${name}.ko`,
    mode: FILE | 0o644,
    content,
  }));
  return [...drivers, { path: 'lib/modules/order', mode: FILE | 0o644, content: order }];
}

function dependencies(module: Buffer): string[] {
  const at = module.indexOf('\0depends=');
  if (at < 0) return [];
  const text = module.toString('latin1', at + 9, module.indexOf(0, at + 9));
  return text.split(',').filter(Boolean).map(moduleName);
}

async function ownFiles(fill: Readonly<Record<string, number>>): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const folders = new Set<string>();
  for (const path of (await readdir(FILES, { recursive: true })).sort()) {
    const { mode } = await stat(`${FILES}/${path}`);
    if ((mode & FOLDER) !== 0 && (mode & FILE) === 0) folders.add(path);
    else
      entries.push({
        path,
        mode: FILE | (mode & 0o777),
        content: filled(await readFile(`${FILES}/${path}`, 'utf8'), fill),
      });
  }
  return [
    ...[...folders].map((path) => ({ path, mode: FOLDER | 0o755, content: Buffer.alloc(0) })),
    ...entries,
  ];
}

function filled(text: string, fill: Readonly<Record<string, number>>): Buffer {
  return Buffer.from(text.replace(/@([A-Z_]+)@/g, (whole, name: string) => fill[name]?.toString() ?? whole));
}

/** Kernel modules' names take `-` and `_` for one. */
const moduleName = (path: string) => basename(path, '.ko').replaceAll('-', '_');
