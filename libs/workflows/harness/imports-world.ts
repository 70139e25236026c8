import { randomBytes } from 'node:crypto';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import type { InspectedFile } from '#libs/disk-files';
import { type DiskTools, ImportStore } from '#libs/imports';
import { BYTES_PER_GIB, gibToBytes } from '#libs/kernel';
import { EnvelopeCipher } from '#libs/secrets';
import type { ImportDeps } from '../import-context.ts';

/** What a planted file says that it is: the harness tries the workflow, and other specs the sandbox. */
const found: InspectedFile = {
  format: 'raw',
  disks: [
    {
      format: 'raw',
      name: null,
      offsetBytes: 0,
      lengthBytes: 512,
      virtualSizeBytes: 2 * BYTES_PER_GIB,
      allocatedBytes: null,
      partitionTable: 'mbr',
    },
  ],
  machine: null,
};

/** Tools that cost nothing and behave as the real ones do about files: whole or not at all. */
const cheapTools: DiskTools = {
  async fetch(_url, to) {
    const bytes = randomBytes(512);
    await writeFile(to, bytes, { flag: 'wx' });
    return { bytes: bytes.length };
  },
  inspect: () => Promise.resolve(found),
  async convert({ path, to }) {
    const part = `${to}.${randomBytes(4).toString('hex')}`;
    await copyFile(path, part);
    await rename(part, to);
    const [source] = found.disks;
    if (!source) throw new Error('a file has a disk');
    return { source, virtualSizeBytes: source.virtualSizeBytes, fileBytes: 512 };
  },
  lookWithin: () => Promise.resolve(null),
};

/** Beside the fleet's folder, all folders in which are hosts. */
export function importsFolder(folder: string): string {
  return `${folder}-imports`;
}

/** What imports work with in a world of this folder. */
export function importsIn(folder: string): ImportDeps {
  return {
    store: new ImportStore(importsFolder(folder)),
    tools: cheapTools,
    settings: {
      maxFileBytes: gibToBytes(1),
      maxDiskBytes: gibToBytes(10),
      perProject: 5,
      uploadKeepHours: 1,
      fetchTimeoutSeconds: 60,
      settleSeconds: 0,
      currency: 'eur',
    },
    cipher: new EnvelopeCipher([Buffer.alloc(32, 7)]),
  };
}
