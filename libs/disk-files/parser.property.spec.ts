import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from '#libs/kernel';
import { DISK_FORMATS } from './disk-facts.ts';
import { parseBytes } from './parse-bytes.fixture.ts';

const HEADS = [
  'QFI\u00fb\0\0\0\u0003',
  'KDMV\u0001\0\0\0',
  'conectix',
  'vhdxfile',
  '# Disk DescriptorFile\n',
  '',
];

describe('the parser of disks', () => {
  it('answers whatever bytes with a result or a refusal', () => {
    const bytes = fc
      .tuple(fc.constantFrom(...HEADS), fc.uint8Array({ maxLength: 4096 }))
      .map(([head, tail]) => Buffer.concat([Buffer.from(head, 'latin1'), tail]));
    fc.assert(
      fc.property(bytes, fc.constantFrom(...DISK_FORMATS), (disk, format) => {
        try {
          expect(parseBytes(disk, format).disks.length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
