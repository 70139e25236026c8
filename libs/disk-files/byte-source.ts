import { readSync } from 'node:fs';
import { malformed } from './disk-files.errors.ts';

/** No single read is longer, whatever a header asks for. */
export const MAX_READ_BYTES = 1024 * 1024;

/** Bytes that are read by position. Nothing else is ever opened. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Exactly `length` bytes. @throws DomainError `disk_malformed` where they are not all within */
  read(offset: number, length: number): Buffer;
}

/** The file behind an open descriptor, as long as `sizeBytes`. */
export function fileBytes(descriptor: number, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    read(offset, length) {
      mustLieWithin(sizeBytes, offset, length);
      const bytes = Buffer.alloc(length);
      for (let done = 0; done < length; ) {
        const got = readSync(descriptor, bytes, done, length - done, offset + done);
        if (got === 0) throw malformed('The file became shorter while it was read');
        done += got;
      }
      return bytes;
    },
  };
}

export function memoryBytes(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    read(offset, length) {
      mustLieWithin(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A part of another source, which cannot be left. */
export function partOf(whole: ByteSource, start: number, sizeBytes: number): ByteSource {
  if (!liesWithin(whole.sizeBytes, start, sizeBytes))
    throw malformed('A part ends behind the end of the file');
  return {
    sizeBytes,
    read(offset, length) {
      mustLieWithin(sizeBytes, offset, length);
      return whole.read(start + offset, length);
    },
  };
}

/** True where `[offset, offset + length)` is a range of whole bytes within the first `sizeBytes`. */
export function liesWithin(sizeBytes: number, offset: number, length: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset <= sizeBytes &&
    length <= sizeBytes - offset
  );
}

/** Calls `visit` with each piece of a range, none longer than MAX_READ_BYTES; stops where it gives false. */
export function inPieces(
  source: ByteSource,
  offset: number,
  length: number,
  visit: (piece: Buffer, at: number) => unknown,
): void {
  for (let done = 0; done < length; done += MAX_READ_BYTES) {
    const piece = source.read(offset + done, Math.min(MAX_READ_BYTES, length - done));
    if (visit(piece, done) === false) return;
  }
}

/** The first `length` bytes, or all of a shorter file. */
export function headOf(source: ByteSource, length: number): Buffer {
  return source.read(0, Math.min(length, source.sizeBytes));
}

/** A number of 64 bits where it is one that a file can have. @throws DomainError `disk_malformed` */
export function exact(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`${what} is absurd (${value})`);
  return Number(value);
}

export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

function mustLieWithin(sizeBytes: number, offset: number, length: number): void {
  if (length > MAX_READ_BYTES) throw malformed('A table of the header is absurdly large');
  if (!liesWithin(sizeBytes, offset, length))
    throw malformed('The file ends before what its header promises');
}
