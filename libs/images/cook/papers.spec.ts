import { describe, expect, it } from 'vitest';
import { derivedUuid, identitiesOf } from './identities.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { cyclonedx } from './sbom.ts';
import { usedInodes } from './within/disk.ts';

const digest = 'ab'.repeat(32);
const manifest: Manifest = {
  schema: 1,
  name: 'probe',
  title: 'Probe',
  licence: 'MIT',
  osFlavor: 'debian',
  osVersion: '12',
  recipe: { sha256: digest, bases: [] },
  packageState: { sha256: digest, sources: ['bookworm/main'] },
  fingerprint: digest,
  kernel: '6.1.0-1-cloud-amd64',
  epochSeconds: 1_700_000_000,
  disk: {
    file: 'disk.qcow2',
    format: 'qcow2',
    firmware: ['bios', 'uefi'],
    virtualSizeBytes: 3 * 1024 ** 3,
    fileSizeBytes: 1234,
    sha256: digest,
  },
  packages: [
    {
      name: 'libstdc++6',
      version: '12.2.0-14+deb12u1',
      architecture: 'amd64',
      source: 'gcc-12',
      sha256: digest,
    },
    { name: 'tzdata', version: '1:2025~b-0', architecture: 'all', source: 'tzdata', sha256: digest },
  ],
};

describe('manifest', () => {
  it('is read back as it was written', () => {
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest);
  });

  it.each(['', '{', 'null', '{"schema":1}', JSON.stringify({ ...manifest, schema: 2 })])(
    'is not %j',
    (text) => {
      expect(parseManifest(text)).toBeUndefined();
    },
  );
});

describe('cyclonedx', () => {
  it('names every package by its URL, percent-encoded', () => {
    expect(cyclonedx(manifest)).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      components: [
        { purl: 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12' },
        { purl: 'pkg:deb/debian/tzdata@1%3A2025~b-0?arch=all&distro=debian-12' },
      ],
    });
  });

  it('has a serial number as the format asks, and says the same twice', () => {
    const bill = JSON.stringify(cyclonedx(manifest));
    expect(bill).toMatch(
      /"serialNumber":"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"/,
    );
    expect(JSON.stringify(cyclonedx(structuredClone(manifest)))).toBe(bill);
  });
});

describe('identitiesOf', () => {
  it('gives each part of a disk an id of its own, and other disks others', () => {
    const all = [...Object.values(identitiesOf('a')), ...Object.values(identitiesOf('b'))];
    expect(new Set(all).size).toBe(all.length);
    expect(identitiesOf('a')).toEqual(identitiesOf('a'));
    expect(derivedUuid('a', 'disk')).toBe(identitiesOf('a').diskUuid);
  });
});

describe('usedInodes', () => {
  it("leaves out the free ones and ext4's own, save the root", () => {
    const report =
      'Inode count:              32\n  Free inodes: 14, 20-23\n  Free blocks: 1-2\n  Free inodes: 25-32\n';
    expect(usedInodes(report)).toEqual([2, 11, 12, 13, 15, 16, 17, 18, 19, 24]);
  });
});
