import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PackageSupply } from './cook-image.ts';
import type { ChosenPackage } from './package-index.ts';
import { choosePackages, fetchPackages, type PackageState } from './package-state.ts';

const exec = promisify(execFile);

/** A package made on this machine, with a script that runs as root while it is installed. */
export interface LocalPackage {
  readonly chosen: ChosenPackage;
  readonly path: string;
}

/** `script` is what the package's postinst does: a shell's, for root. */
export async function makePackage(folder: string, name: string, script: string): Promise<LocalPackage> {
  const tree = join(folder, name);
  await mkdir(join(tree, 'DEBIAN'), { recursive: true });
  const fields = [
    `Package: ${name}`,
    'Version: 1.0',
    'Architecture: all',
    'Maintainer: Mallory <m@example.org>',
  ];
  const described = [...fields, 'Description: does what it should not'];
  await writeFile(join(tree, 'DEBIAN/control'), `${described.join('\n')}\n`);
  await writeFile(join(tree, 'DEBIAN/postinst'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const path = join(folder, `${name}.deb`);
  await exec('dpkg-deb', ['--root-owner-group', '--build', tree, path]);
  const bytes = await readFile(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const index = [...described, 'Filename: ./x.deb', `Size: ${bytes.length}`, `SHA256: ${sha256}`];
  const chosen = {
    name,
    version: '1.0',
    architecture: 'all',
    source: name,
    sha256,
    paragraph: index.join('\n'),
  };
  return { chosen, path };
}

/** Debian's packages, and these beside them. */
export function supplyWith(packages: readonly LocalPackage[]): PackageSupply {
  const isLocal = (name: string) => packages.some(({ chosen }) => chosen.name === name);
  return {
    async choose(release, names, options): Promise<PackageState> {
      const state = await choosePackages(
        release,
        names.filter((name) => !isLocal(name)),
        options,
      );
      const local = packages.filter(({ chosen }) => names.includes(chosen.name)).map(({ chosen }) => chosen);
      const sha256 = createHash('sha256')
        .update(state.sha256 + local.map((one) => one.sha256).join())
        .digest('hex');
      return { ...state, packages: [...state.packages, ...local], sha256 };
    },
    async fetch(state, repositoryDir, options): Promise<number> {
      const debian = state.packages.filter(({ name }) => !isLocal(name));
      const epochSeconds = await fetchPackages({ ...state, packages: debian }, repositoryDir, options);
      for (const { chosen, path } of packages.filter(({ chosen }) => state.packages.includes(chosen))) {
        await copyFile(path, join(repositoryDir, `${chosen.sha256}.deb`));
        const paragraph = chosen.paragraph.replace('./x.deb', `./${chosen.sha256}.deb`);
        await appendFile(join(repositoryDir, 'Packages'), `\n${paragraph}\n`);
      }
      return epochSeconds;
    },
  };
}
