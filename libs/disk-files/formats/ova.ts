import { createHash } from 'node:crypto';
import { type ByteSource, inPieces, partOf } from '../byte-source.ts';
import type { DiskFacts, DiskLimits, InspectedFile } from '../disk-facts.ts';
import { diskError } from '../disk-files.errors.ts';
import { recognise } from './magic.ts';
import { readOvf } from './ovf.ts';
import { readTar, type TarMember } from './tar.ts';
import { parseVmdk } from './vmdk.ts';

const MAX_TEXT_BYTES = 1024 * 1024;
const MANIFEST_LINE = /^(SHA1|SHA256|SHA512) ?\(([^()\r\n]{1,100}|[^\r\n]{1,100})\) ?= ?([\da-f]{40,128})$/i;

/**
 * A machine in an archive: its description, its disks within the archive alone, and checksums that hold.
 * @throws DomainError `archive_*`, and `disk_*` for its disks
 */
export function parseOva(source: ByteSource, limits: DiskLimits): InspectedFile {
  const members = readTar(source);
  const [first] = members;
  if (!first || !/\.ovf$/i.test(first.name)) throw invalid('its first file is not its .ovf file');
  const description = readOvf(textOf(source, first));
  const byName = new Map(members.map((member) => [member.name, member]));
  const missing = description.files.find((name) => !byName.has(name));
  if (missing !== undefined) throw invalid(`${missing.slice(0, 100)} is not in it`);
  const disks = description.disks.map(({ file, capacityBytes }): DiskFacts => {
    const member = byName.get(file) ?? first;
    const disk = parseMember(source, member, limits);
    if (BigInt(disk.virtualSizeBytes) > capacityBytes) throw invalid(`${file} is larger than it says`);
    return disk;
  });
  checkManifests(source, members, description.files);
  return { format: 'ova', disks, machine: description.machine };
}

function parseMember(source: ByteSource, member: TarMember, limits: DiskLimits): DiskFacts {
  const bytes = partOf(source, member.offset, member.length);
  if (recognise(bytes)?.format !== 'vmdk') {
    throw diskError(
      'disk_format_mismatch',
      `${member.name} of the archive is described as VMDK and is none. Export the machine again.`,
    );
  }
  return { ...parseVmdk(bytes, limits), name: member.name, offsetBytes: member.offset };
}

/** Each file that the description names, and itself, as the manifest says, where there is one. */
function checkManifests(source: ByteSource, members: readonly TarMember[], files: readonly string[]): void {
  for (const manifest of members.filter(({ name }) => /\.mf$/i.test(name))) {
    const listed = new Set<string>();
    for (const line of textOf(source, manifest)
      .split('\n')
      .map((one) => one.trim())
      .filter(Boolean)) {
      const [, algorithm = '', name = '', told = ''] = MANIFEST_LINE.exec(line) ?? [];
      const member = members.find((one) => one.name === name);
      if (!member || listed.has(name))
        throw invalid('its manifest names files that are not in it, or one twice');
      if (digestOf(source, member, algorithm) !== told.toLowerCase()) {
        throw diskError(
          'archive_checksum_mismatch',
          `${member.name} is not what the archive’s manifest says: it was damaged or changed. Upload it again.`,
        );
      }
      listed.add(name);
    }
    if (files.some((name) => !listed.has(name))) throw invalid('its manifest leaves files out');
  }
}

function digestOf(source: ByteSource, member: TarMember, algorithm: string): string {
  const hash = createHash(algorithm.toLowerCase());
  inPieces(source, member.offset, member.length, (piece) => {
    hash.update(piece);
  });
  return hash.digest('hex');
}

function textOf(source: ByteSource, member: TarMember): string {
  if (member.length > MAX_TEXT_BYTES) throw invalid(`${member.name} is absurdly long`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(source.read(member.offset, member.length));
  } catch (cause) {
    if (cause instanceof TypeError) throw invalid(`${member.name} is not in UTF-8`);
    throw cause;
  }
}

function invalid(what: string) {
  return diskError(
    'archive_description_invalid',
    `The archive cannot be followed: ${what}. Export the machine again as one OVA file.`,
  );
}
