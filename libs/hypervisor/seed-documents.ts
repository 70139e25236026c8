import type { SeedSpec } from './port/seeds.ts';
import { cloudConfig, toYaml } from './user-data.ts';

/** The files of a NoCloud seed, by name. */
export interface SeedFile {
  readonly name: string;
  readonly content: string;
}

/** Writes a seed's documents as cloud-init expects them, in a fixed order and through a YAML serializer only. */
export function renderSeed(seed: SeedSpec): readonly SeedFile[] {
  return [
    { name: 'meta-data', content: toYaml(seed.metaData) },
    { name: 'network-config', content: toYaml(seed.networkConfig) },
    {
      name: 'user-data',
      content: typeof seed.userData === 'string' ? seed.userData : cloudConfig(seed.userData),
    },
    { name: 'vendor-data', content: seed.vendorData === undefined ? '' : cloudConfig(seed.vendorData) },
    ...Object.entries(seed.files ?? {}).map(([name, content]) => ({ name, content })),
  ];
}
