import { fstatSync, writeSync } from 'node:fs';
import { DomainError } from '#libs/kernel';
import { fileBytes } from '../byte-source.ts';
import type { DiskFormat } from '../disk-facts.ts';
import { parseDisk } from '../parse-disk.ts';

/**
 * The parser as a process of the sandbox: descriptor 3 is the file, the answer goes to standard output. Its
 * caller believes none of it unseen.
 */
const FILE = 3;
const [format, virtualSizeBytes] = process.argv.slice(2);

function answer(): unknown {
  try {
    const source = fileBytes(FILE, fstatSync(FILE).size);
    return { found: parseDisk(source, format as DiskFormat, { virtualSizeBytes: Number(virtualSizeBytes) }) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { refusal: { code: error.code, message: error.message } };
  }
}

writeSync(1, JSON.stringify(answer()));
