import { stringify } from 'yaml';
import type { SeedSpec, YamlDocument } from './port.ts';

/** The files of a NoCloud seed, by name. */
export interface SeedFile {
  readonly name: 'meta-data' | 'network-config' | 'user-data' | 'vendor-data';
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
  ];
}

function cloudConfig(document: YamlDocument): string {
  return `#cloud-config\n${toYaml(document)}`;
}

/** cloud-init reads YAML 1.1, where `52:54:00:12:34:56` and `on` without quotes are a number and a truth value. */
function toYaml(document: YamlDocument): string {
  return stringify(document, { version: '1.1' });
}
