import type { EntityManager } from 'typeorm';
import { exportDiskRequest, exportVolumeNames } from '#libs/exports';
import { type HostRef, isHypervisorError } from '#libs/hypervisor';
import { DomainError } from '#libs/kernel';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import { exportHost, exportSource, loadExport } from './export-source.ts';
import { stepProgress } from './step-progress.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

interface Params {
  readonly exportId: number;
  readonly freezeSagaId: number | null;
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** The server's disk may have to wait until the server is done with something else. */
const FREEZE_DEADLINE_SECONDS = 3600;
/** Disks have no largest size; what stands still is called off by the step itself. */
const COPY_TIMEOUT_SECONDS = 7 * 24 * 3600;
/** Exports that are copied and packed at once, on all workers: they hold a worker for long, and others want to be served. */
const AT_ONCE = 4;
const TURN_DEADLINE_SECONDS = 24 * 3600;
/** The steps have equal parts of the action's progress. */
const STEPS = 5;

/**
 * Makes one file of a disk that stands on no other: its host flattens what is frozen, the worker fetches that and makes
 * the customer's file of it. Whatever the end, nothing is left on the host.
 */
export const exportDisk = saga(exportDiskRequest, deps<WorkflowDeps>())
  .wait('frozen', {
    title: 'Freezing the disk',
    deadlineSeconds: FREEZE_DEADLINE_SECONDS,
    everySeconds: 1,
    check: ({ deps, params }) => exportSource(deps, params),
    undoTransact: async (manager, { params, reason }) => {
      await manager.query(
        `UPDATE exports SET state = 'failed', error_code = $2, error_message = $3, finished_at = now()
         WHERE id = $1 AND state = 'creating'`,
        [params.exportId, reason.code, reason.message],
      );
    },
  })
  .wait('turn', {
    title: 'Waiting for its turn',
    deadlineSeconds: TURN_DEADLINE_SECONDS,
    everySeconds: 2,
    transact: (manager, { params }) => takeTurn(manager, params),
    noUndo: 'it is over with the export',
  })
  .step('flatten', {
    title: 'Copying it on its host',
    timeoutSeconds: COPY_TIMEOUT_SECONDS,
    do: (ctx) => withRoom(ctx, () => flatten(ctx)),
    // What was read is free to go.
    commit: (manager, { params }) => forgetSource(manager, params),
    undo: async (ctx) => {
      const host = await exportHost(ctx.deps.dataSource.manager, ctx.params.exportId);
      if (!host) return;
      const { flat, layer } = exportVolumeNames(ctx.params.exportId);
      await ctx.deps.hypervisor.deleteVolume(host, flat);
      await ctx.deps.hypervisor.deleteVolume(host, layer);
    },
  })
  .step('fetch', {
    title: 'Fetching it from its host',
    timeoutSeconds: COPY_TIMEOUT_SECONDS,
    do: (ctx) => withRoom(ctx, () => fetch(ctx)),
    undo: ({ deps, params }) => deps.exports.store.remove(params.exportId),
  })
  .step('make-file', {
    title: 'Making the file',
    timeoutSeconds: COPY_TIMEOUT_SECONDS,
    do: (ctx) => withRoom(ctx, () => makeFile(ctx)),
    commit: async (manager, { params, deps }, { name, sizeBytes, sha256 }) => {
      await manager.query(
        `UPDATE exports SET state = 'available', progress = 100, file_name = $2, size_bytes = $3, sha256 = $4,
                            finished_at = now(), expires_at = now() + make_interval(days => $5::int)
         WHERE id = $1`,
        [params.exportId, name, sizeBytes, sha256, deps.exports.keepDays],
      );
    },
    noUndo: 'all files of an export are removed together',
  })
  .build();

type Outputs = { readonly frozen: NonNullable<Awaited<ReturnType<typeof exportSource>>> };
type CopyContext = StepContext<Params, Outputs, WorkflowDeps>;

async function flatten(ctx: CopyContext) {
  const { hypervisor } = ctx.deps;
  const { base, sizeGib } = ctx.outputs.frozen;
  const host = await hostOf(ctx);
  const { flat, layer } = exportVolumeNames(ctx.params.exportId);
  const copy = { volumeName: flat, format: 'qcow2' } as const;
  const options = { signal: ctx.signal, onProgress: stepProgress(ctx, { index: 2, of: STEPS }) };
  if ('frozen' in base) {
    await hypervisor.flattenVolume(host, { ...copy, fromVolumeName: base.frozen }, options);
    return {};
  }
  // Golden images lie in a pool of their own, from which only overlays lead to that of the disks.
  await hypervisor.createOverlay(host, { volumeName: layer, base, sizeGib });
  await hypervisor.flattenVolume(host, { ...copy, fromVolumeName: layer }, options);
  await hypervisor.deleteVolume(host, layer);
  return {};
}

async function fetch(ctx: CopyContext) {
  const { exportId } = ctx.params;
  const { hypervisor, exports } = ctx.deps;
  const host = await hostOf(ctx);
  const { flat } = exportVolumeNames(exportId);
  if (!(await exports.store.hasDisk(exportId))) {
    const options = { signal: ctx.signal, onProgress: stepProgress(ctx, { index: 3, of: STEPS }) };
    await hypervisor.downloadVolume(host, flat, await exports.store.diskPath(exportId), options);
  }
  await hypervisor.deleteVolume(host, flat);
  return {};
}

async function makeFile(ctx: CopyContext) {
  const { exportId } = ctx.params;
  const { format } = await loadExport(ctx.deps.dataSource.manager, exportId);
  const progress = stepProgress(ctx, { index: 4, of: STEPS });
  const { file } = await ctx.deps.exports.store.make(exportId, {
    format,
    subject: ctx.outputs.frozen.subject,
    signal: ctx.signal,
    onPercent: (percent) => progress(percent, 100),
  });
  return file;
}

/** Undefined as long as enough others are at work. One whose host is gone for good waits for its operator, and holds none up. */
async function takeTurn(manager: EntityManager, { exportId }: Params) {
  await manager.query(`SELECT pg_advisory_xact_lock(hashtext('turn of exports'))`);
  const [, taken] = await manager.query<[unknown[], number]>(
    `UPDATE exports SET begun_at = now() WHERE id = $1 AND $2 > (
       SELECT count(*) FROM exports e JOIN sagas g ON g.subject_type = 'export' AND g.subject_id = e.id
       WHERE e.state = 'creating' AND e.begun_at IS NOT NULL AND g.state IN ('running', 'undoing'))`,
    [exportId, AT_ONCE],
  );
  return taken > 0 ? {} : undefined;
}

async function forgetSource(manager: EntityManager, { exportId }: Params): Promise<void> {
  await manager.query('UPDATE exports SET frozen_disk_id = NULL WHERE id = $1', [exportId]);
}

/** @throws PermanentError `export_source_gone` */
async function hostOf({ params, deps }: Context): Promise<HostRef> {
  const host = await exportHost(deps.dataSource.manager, params.exportId);
  if (!host) throw new PermanentError('export_source_gone', 'the host of the disk is not there any more');
  return host;
}

/** A full disk is not waited for: the operator reads of it in the log, the customer that it may be tried again. */
async function withRoom<T>(ctx: CopyContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const isFull =
      isHypervisorError(cause, 'pool_full') ||
      (cause instanceof DomainError && cause.code === 'export_no_space');
    if (!isFull) throw cause;
    ctx.log.error({ err: cause, exportId: ctx.params.exportId }, 'there is no room for an export');
    const message =
      'there is no room for this export at the moment, and nothing of it was kept: try again later';
    throw new PermanentError('export_no_space', message, { cause });
  }
}
