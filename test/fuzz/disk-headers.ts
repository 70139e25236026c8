import { open } from 'node:fs/promises';
import { DISK_FORMATS, type DiskFormat, inspectDisk } from '#libs/disk-files';
import { parseBytes } from '../../libs/disk-files/parse-bytes.fixture.ts';
import { type Ground, ovf, realDisks, tar } from '../../libs/disk-files/planted.fixture.ts';
import { mutated } from './mutations.ts';
import type { Target } from './target.ts';

/** Random and mutated headers of each format against the parser of uploads. */
export async function diskHeaders(at: Ground): Promise<Target> {
  const seeds: { format: DiskFormat; bytes: Buffer }[] = [];
  for (const [name, path] of Object.entries(await realDisks(at))) {
    await using file = await open(path);
    seeds.push({ format: name.replace(/-.*/, '') as DiskFormat, bytes: await file.readFile() });
  }
  const stream = seeds.find(({ format }) => format === 'vmdk')?.bytes ?? '';
  seeds.push({
    format: 'ova',
    bytes: tar([
      { name: 'a.ovf', bytes: ovf('a.vmdk') },
      { name: 'a.vmdk', bytes: stream },
    ]),
  });
  let format: DiskFormat = 'raw';
  let bytes: Buffer = Buffer.alloc(0);
  return {
    next(random) {
      const seed = seeds[random(seeds.length)] ?? { format: 'raw', bytes };
      bytes = mutated(seed.bytes, random);
      format = random(50) === 0 ? (DISK_FORMATS[random(DISK_FORMATS.length)] ?? 'raw') : seed.format;
      return { what: format, bytes };
    },
    here: () => parseBytes(bytes, format),
    really: (path) => inspectDisk(path, format),
    reallyEvery: 100,
    isAlike: true,
  };
}
