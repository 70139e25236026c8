import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import type { EntityManager } from 'typeorm';
import { closeServer } from '#libs/billing';
import type { ImportReport } from '#libs/images';
import { chooseDevices, chooseVerification, importImageRequest } from '#libs/imports';
import { bytesToWholeGib, DomainError } from '#libs/kernel';
import { deps, type StepContext, saga } from '#libs/saga';
import { bytesOf, checksumOf, loadImport, notesOn, sourcePath } from './import-context.ts';
import {
  type Brought,
  billPrivateImage,
  bringToAllHosts,
  noteBrought,
  noteTaken,
  takeFromAllHosts,
} from './private-image.ts';
import { stepProgress } from './step-progress.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

interface Params {
  readonly imageId: number;
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;

const HOUR_SECONDS = 3600;
const STEPS = 5;
/** A file of a hundred GiB takes its time; the tools have limits of their own. */
const LONG = { timeoutSeconds: 8 * HOUR_SECONDS } as const;

/**
 * Makes an image of a disk that its owner brought along. Nothing opens the file but the sandbox; what hosts get is a
 * self-contained disk that was written anew there.
 */
export const importImage = saga(importImageRequest, deps<WorkflowDeps>())
  .step('fetch', {
    title: 'Getting the file',
    ...LONG,
    do: async (ctx) => {
      const { store, tools, settings } = ctx.deps.imports;
      const found = await load(ctx);
      const whole = sourcePath(ctx.deps.imports, found);
      if (found.url !== null && (await bytesOf(whole)) === undefined) {
        await store.prepare();
        await store.removeWork(found.image.id);
        const part = store.partPath(found.image.id, randomUUID());
        const show = stepProgress(ctx, { index: 0, of: STEPS });
        const limits = { maxBytes: settings.maxFileBytes, timeoutSeconds: settings.fetchTimeoutSeconds };
        await tools.fetch(found.url, part, limits, {
          signal: ctx.signal,
          onProgress: (bytes) => show(bytes, settings.maxFileBytes),
        });
        await rename(part, whole);
      }
      return { bytes: (await bytesOf(whole)) ?? 0 };
    },
    undo: removeFiles,
    undoTransact: async (manager, { params: { imageId } }) => {
      await endImport(manager, imageId);
      await closeServer(manager, imageId);
      await manager.query(
        `UPDATE images SET status = 'unavailable', deleted_at = coalesce(deleted_at, now()) WHERE id = $1`,
        [imageId],
      );
    },
  })
  .step('inspect', {
    title: 'Looking at what it is',
    ...LONG,
    do: async (ctx) => {
      const { tools, settings } = ctx.deps.imports;
      const found = await load(ctx);
      const { disks, machine } = await tools.inspect(sourcePath(ctx.deps.imports, found), found.format, {
        limits: { virtualSizeBytes: settings.maxDiskBytes },
        signal: ctx.signal,
      });
      const [disk] = disks;
      return {
        diskCount: disks.length,
        partitionTable: disk?.partitionTable ?? null,
        virtualSizeBytes: disk?.virtualSizeBytes ?? 0,
        machine,
      };
    },
    commit: async (manager, { params }, { virtualSizeBytes }) => {
      await manager.query(
        `UPDATE images SET virtual_size_bytes = $2, appliance = jsonb_set(appliance, '{minimumDiskGib}', to_jsonb($3::int))
         WHERE id = $1`,
        [params.imageId, virtualSizeBytes, bytesToWholeGib(virtualSizeBytes)],
      );
    },
    noUndo: 'only looks',
  })
  .step('convert', {
    title: 'Converting it',
    ...LONG,
    do: async (ctx) => {
      const { store, tools, settings } = ctx.deps.imports;
      const { image, ...source } = await load(ctx);
      const to = store.convertedPath(image.id);
      await store.prepare();
      if ((await bytesOf(to)) === undefined) {
        const show = stepProgress(ctx, { index: 2, of: STEPS });
        const conversion = tools.convert({
          path: sourcePath(ctx.deps.imports, { image, ...source }),
          format: source.format,
          to,
          ...(source.sshPublicKeys.length > 0 && { adoption: source }),
          limits: { virtualSizeBytes: settings.maxDiskBytes },
          signal: ctx.signal,
          onProgress: (percent) => show(percent, 100),
        });
        // Somebody else's who did the same is as good.
        await conversion.catch(async (error: unknown) => {
          if (codeOf(error) !== 'disk_output_exists' || (await bytesOf(to)) === undefined) throw error;
        });
      }
      const found = await tools.lookWithin(to, ctx.signal);
      const { boot, fileSystems, guest } = found ?? { boot: null, fileSystems: [], guest: null };
      return {
        boot,
        fileSystems,
        guest,
        fileSizeBytes: (await bytesOf(to)) ?? 0,
        sha256: await checksumOf(to, ctx.signal),
      };
    },
    noUndo: 'what was converted goes when fetch is undone',
  })
  .step('publish', {
    title: 'Bringing it to the hosts',
    ...LONG,
    do: bringToHosts,
    commit: (manager, { params, deps }, brought) => noteBrought(manager, deps, params.imageId, brought),
    undo: takeFromHosts,
    undoTransact: (manager, { params }, taken) => noteTaken(manager, params.imageId, taken),
  })
  .step('hand-over', {
    title: 'Handing it over',
    do: removeFiles,
    commit: async (manager, ctx) => {
      const { inspect, convert } = ctx.outputs;
      const { format, sshPublicKeys } = await loadImport(manager, ctx.deps.imports, ctx.params.imageId);
      const { diskCount, partitionTable, machine } = inspect;
      const { boot, fileSystems, guest } = convert;
      const found = { format, diskCount, partitionTable, machine, boot, fileSystems, guest };
      const seen = { ...found, sshKeys: sshPublicKeys.length };
      const report: ImportReport = { ...seen, notes: notesOn(seen) };
      await manager.query(
        `UPDATE images SET status = 'available', file_size_bytes = $2, sha256 = $3, import_report = $4, created_at = now(),
                           appliance = appliance || $5, devices = $6, verification = $7
         WHERE id = $1`,
        [
          ctx.params.imageId,
          convert.fileSizeBytes,
          convert.sha256,
          JSON.stringify(report),
          JSON.stringify({ osFlavor: guest?.osId ?? 'unknown', osVersion: guest?.osVersion ?? '' }),
          JSON.stringify(chooseDevices(seen)),
          chooseVerification(seen),
        ],
      );
      const { image, ...owner } = await loadImport(manager, ctx.deps.imports, ctx.params.imageId);
      await billPrivateImage(manager, owner, image, convert.fileSizeBytes);
      await endImport(manager, ctx.params.imageId);
    },
    noUndo: 'the image goes when publish is undone, and nothing needs the files any more',
  })
  .build();

function load({ params, deps: { dataSource, imports } }: Context) {
  return loadImport(dataSource.manager, imports, params.imageId);
}

async function bringToHosts(
  ctx: StepContext<
    Params,
    {
      inspect: Pick<ImportReport, 'machine'> & { virtualSizeBytes: number };
      convert: Pick<ImportReport, 'boot' | 'fileSystems' | 'guest'> & { sha256: string };
    },
    WorkflowDeps
  >,
): Promise<Brought> {
  const { image } = await load(ctx);
  const { virtualSizeBytes } = ctx.outputs.inspect;
  const { sha256 } = ctx.outputs.convert;
  const devices = chooseDevices({ ...ctx.outputs.inspect, ...ctx.outputs.convert });
  const path = ctx.deps.imports.store.convertedPath(image.id);
  const file = { volumeName: image.volumeName, path, format: 'qcow2', sha256, virtualSizeBytes } as const;
  return bringToAllHosts(ctx, file, devices, (index, of) =>
    stepProgress(ctx, { index: 3 * of + index, of: STEPS * of }),
  );
}

async function takeFromHosts({ params, deps }: Context) {
  const { image } = await loadImport(deps.dataSource.manager, deps.imports, params.imageId);
  return takeFromAllHosts(deps, image.volumeName);
}

/** Of the file and what was made of it, nothing is needed any more. */
async function removeFiles({ params: { imageId }, deps: { dataSource, imports } }: Context) {
  const { uploadId } = await loadImport(dataSource.manager, imports, imageId);
  await imports.store.removeWork(imageId);
  if (uploadId !== null) await imports.store.removeUpload(uploadId);
  return {};
}

async function endImport(manager: EntityManager, imageId: number): Promise<void> {
  await manager.query(
    'UPDATE image_imports SET finished_at = coalesce(finished_at, now()), sealed_url = NULL WHERE image_id = $1',
    [imageId],
  );
  await manager.query('DELETE FROM uploads WHERE image_id = $1', [imageId]);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof DomainError ? error.code : undefined;
}
