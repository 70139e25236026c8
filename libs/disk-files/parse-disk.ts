import type { ByteSource } from './byte-source.ts';
import type { DiskFacts, DiskFormat, DiskLimits, InspectedFile, SingleDiskFormat } from './disk-facts.ts';
import { diskError, malformed } from './disk-files.errors.ts';
import { recognise } from './formats/magic.ts';
import { parseOva } from './formats/ova.ts';
import { parseQcow2 } from './formats/qcow2.ts';
import { parseRaw } from './formats/raw.ts';
import { parseVdi } from './formats/vdi.ts';
import { parseVhd } from './formats/vhd.ts';
import { parseVhdx } from './formats/vhdx.ts';
import { parseVmdk } from './formats/vmdk.ts';

const parsers: Readonly<Record<SingleDiskFormat, (source: ByteSource, limits: DiskLimits) => DiskFacts>> = {
  qcow2: parseQcow2,
  raw: parseRaw,
  vmdk: parseVmdk,
  vdi: parseVdi,
  vhd: parseVhd,
  vhdx: parseVhdx,
};

/**
 * What a file is that was given as `format`; nothing but its bytes is looked at. Runs in the sandbox: see
 * inspect-disk.ts.
 * @throws DomainError `disk_*`, `archive_*`: the file is not taken, and why
 */
export function parseDisk(source: ByteSource, format: DiskFormat, limits: DiskLimits): InspectedFile {
  if (source.sizeBytes === 0) throw malformed('The file is empty');
  refuseOthers(source, format);
  if (format === 'ova') return parseOva(source, limits);
  return { format, disks: [parsers[format](source, limits)], machine: null };
}

/** The format is always the one that was given; what looks like another is refused, never probed further. */
function refuseOthers(source: ByteSource, given: DiskFormat): void {
  const found = recognise(source);
  if (found?.packed) {
    throw diskError(
      'disk_is_packed',
      `The file is packed (${found.name}). Unpack it and upload what is in it.`,
    );
  }
  if (found ? found.format === given : given === 'raw') return;
  const name = found?.name ?? 'something unknown';
  throw diskError(
    'disk_format_mismatch',
    `The file was given as ${given} and begins as ${name}. Name the format that it has.`,
  );
}
