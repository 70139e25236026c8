import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { Account, Project } from '#libs/accounts';
import type { DiskFormat, InspectedFile } from '#libs/disk-files';
import {
  type DiskTools,
  ImageImports,
  ImportStore,
  type StartedImport,
  UploadsService,
  type WantedImport,
} from '#libs/imports';
import { BYTES_PER_GIB, gibToBytes } from '#libs/kernel';
import type { SagaQueue } from '#libs/queue';
import { EnvelopeCipher } from '#libs/secrets';
import type { ImportDeps } from '../import-context.ts';
import type { ServerWorld } from './server-world.ts';

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
      currency: 'eur',
    },
    cipher: new EnvelopeCipher([Buffer.alloc(32, 7)]),
  };
}

const silentQueue = { poke: async () => {} } as unknown as SagaQueue;

function uploadsOf({ dataSource, deps: { imports } }: ServerWorld): UploadsService {
  return new UploadsService(dataSource, imports.store, imports.settings);
}

function serviceOf(world: ServerWorld): ImageImports {
  const { store, tools, settings, cipher } = world.deps.imports;
  return new ImageImports(
    world.dataSource,
    world.store,
    silentQueue,
    cipher,
    uploadsOf(world),
    store,
    tools,
    settings,
  );
}

async function wanted({ dataSource: { manager } }: ServerWorld): Promise<WantedImport> {
  const [account, project] = await Promise.all([
    manager.getRepository(Account).findOneByOrFail({}),
    manager.getRepository(Project).findOneByOrFail({}),
  ]);
  const named = { name: 'brought along', description: null, labels: {}, format: 'raw' } as const;
  return { accountId: account.id, projectId: project.id, ...named };
}

/** The customer has uploaded a disk, and asks for an image of it. */
export async function importUpload(
  world: ServerWorld,
  file: { readonly format: DiskFormat; readonly bytes: Buffer } = { format: 'raw', bytes: randomBytes(512) },
): Promise<StartedImport> {
  const of = await wanted(world);
  const uploads = uploadsOf(world);
  const { id } = await uploads.open(of.projectId, file.bytes.length);
  await writeFile(world.deps.imports.store.uploadPath(id), file.bytes);
  return serviceOf(world).fromUpload({ ...of, format: file.format }, id);
}

/** The customer asks for an image of a disk that lies elsewhere. */
export async function importFromUrl(world: ServerWorld): Promise<StartedImport> {
  return serviceOf(world).fromUrl(
    await wanted(world),
    'https://disks.example.test/disk.raw?signature=secret',
  );
}

/** Nothing of any import lies about, in the folder or in the table. @throws AssertionError naming what does */
export async function assertNoFiles({ dataSource, deps: { imports } }: ServerWorld): Promise<void> {
  assert.deepEqual(await imports.store.present(), { uploads: [], imports: [] });
  assert.deepEqual(await dataSource.query('SELECT id FROM uploads'), []);
  assert.deepEqual(await dataSource.query('SELECT FROM image_imports WHERE sealed_url IS NOT NULL'), []);
}
