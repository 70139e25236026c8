import { derivedUuid } from './identities.ts';
import type { Manifest } from './manifest.ts';

/**
 * The image's bill of materials as CycloneDX 1.6: the image as the subject, each Debian package a component
 * with its package URL and the digest of its .deb. It has no time stamp, so that the same image has the same
 * bill.
 */
export function cyclonedx(manifest: Manifest): object {
  const subject = `image:${manifest.name}@${manifest.disk.sha256}`;
  const components = manifest.packages.map((entry) => ({
    type: 'library',
    'bom-ref': packageUrl(entry, manifest),
    name: entry.name,
    version: entry.version,
    purl: packageUrl(entry, manifest),
    hashes: [{ alg: 'SHA-256', content: entry.sha256 }],
    properties: [{ name: 'servery:source-package', value: entry.source }],
  }));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${derivedUuid(manifest.disk.sha256, 'sbom')}`,
    version: 1,
    metadata: {
      component: {
        type: 'operating-system',
        'bom-ref': subject,
        name: manifest.name,
        version: manifest.disk.sha256.slice(0, 16),
        description: manifest.title,
        hashes: [{ alg: 'SHA-256', content: manifest.disk.sha256 }],
      },
    },
    components,
    dependencies: [{ ref: subject, dependsOn: components.map((component) => component['bom-ref']) }],
  };
}

/** A package URL of the type `deb`; `+`, `~` and `:` in versions are percent-encoded as its rules ask. */
function packageUrl(entry: Manifest['packages'][number], manifest: Manifest): string {
  const name = encodeURIComponent(entry.name);
  const version = encodeURIComponent(entry.version);
  return `pkg:deb/debian/${name}@${version}?arch=${entry.architecture}&distro=debian-${manifest.osVersion}`;
}
