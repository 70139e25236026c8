import type { ByteSource } from '../byte-source.ts';
import { headOf } from '../byte-source.ts';
import { type DiskFacts, type DiskLimits, virtualSize, wholeFile } from '../disk-facts.ts';

const BOOT_SIGNATURE_AT = 510;
const GPT_AT = [512, 4096];

/**
 * A raw disk is whatever it is: it has no header that could lead anywhere. That it does not begin as another
 * format was seen before (CVE-2026-24708: a qcow2 header in what is taken for raw).
 */
export function parseRaw(source: ByteSource, limits: DiskLimits): DiskFacts {
  return wholeFile({
    format: 'raw',
    lengthBytes: source.sizeBytes,
    virtualSizeBytes: virtualSize(BigInt(source.sizeBytes), limits),
    allocatedBytes: null,
    partitionTable: partitionTable(headOf(source, 8192)),
  });
}

function partitionTable(head: Buffer): DiskFacts['partitionTable'] {
  if (GPT_AT.some((at) => head.toString('latin1', at, at + 8) === 'EFI PART')) return 'gpt';
  return head.length >= 512 && head.readUInt16LE(BOOT_SIGNATURE_AT) === 0xaa55 ? 'mbr' : null;
}
