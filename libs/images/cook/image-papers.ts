import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BYTES_PER_GIB } from '#libs/kernel';
import type { Recipe } from '../recipe/recipe.ts';
import type { Manifest } from './manifest.ts';
import type { PackageState } from './package-state.ts';
import { cyclonedx } from './sbom.ts';

/** Writes manifest, bill of materials and checksums beside the disk in `folder`. */
export async function writeImagePapers(
  folder: string,
  recipe: Recipe,
  state: PackageState,
  made: Pick<Manifest, 'fingerprint' | 'kernel' | 'epochSeconds'>,
): Promise<void> {
  const diskPath = join(folder, 'disk.qcow2');
  const manifest: Manifest = {
    schema: 1,
    name: recipe.name,
    title: recipe.title,
    licence: recipe.licence,
    osFlavor: recipe.osFlavor,
    osVersion: recipe.osVersion,
    recipe: { sha256: recipe.sha256, bases: [...recipe.bases] },
    packageState: {
      sha256: state.sha256,
      sources: state.sources.map(({ suite, component }) => `${suite}/${component}`),
    },
    ...made,
    disk: {
      file: 'disk.qcow2',
      format: 'qcow2',
      firmware: ['bios', 'uefi'],
      virtualSizeBytes: recipe.minimum.diskGib * BYTES_PER_GIB,
      fileSizeBytes: (await stat(diskPath)).size,
      sha256: await sha256Of(diskPath),
    },
    packages: state.packages.map(({ paragraph, ...entry }) => entry),
  };
  await writeJson(join(folder, 'manifest.json'), manifest);
  await writeJson(join(folder, 'sbom.cdx.json'), cyclonedx(manifest));
  const names = ['manifest.json', 'sbom.cdx.json'];
  const sums = await Promise.all(
    names.map(async (name) => `${await sha256Of(join(folder, name))}  ${name}\n`),
  );
  await writeFile(join(folder, 'SHA256SUMS'), `${manifest.disk.sha256}  disk.qcow2\n${sums.join('')}`);
}

function writeJson(path: string, value: object): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
