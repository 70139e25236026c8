import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Account, Project } from '#libs/accounts';
import type { DiskFormat } from '#libs/disk-files';
import { ImageImports, type StartedImport, UploadsService, type WantedImport } from '#libs/imports';
import { newId } from '#libs/kernel';
import type { SagaQueue } from '#libs/queue';
import type { ServerWorld } from './server-world.ts';

const silentQueue = { poke: async () => {} } as unknown as SagaQueue;

function uploadsOf({ dataSource, deps: { imports } }: ServerWorld): UploadsService {
  return new UploadsService(dataSource, imports.store, imports.tools, imports.settings);
}

function serviceOf(world: ServerWorld): ImageImports {
  const { settings, cipher } = world.deps.imports;
  return new ImageImports(world.dataSource, world.store, silentQueue, cipher, uploadsOf(world), settings);
}

async function wanted({ dataSource: { manager } }: ServerWorld): Promise<WantedImport> {
  const [account, project] = await Promise.all([
    manager.getRepository(Account).findOneByOrFail({}),
    manager.getRepository(Project).findOneByOrFail({}),
  ]);
  const named = {
    name: 'brought along',
    description: null,
    labels: {},
    format: 'raw',
    sshPublicKeys: [],
  } as const;
  return { imageId: newId(), accountId: account.id, projectId: project.id, ...named };
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
