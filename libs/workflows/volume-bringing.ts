import type { EntityManager } from 'typeorm';
import { type HostRef, isHypervisorError } from '#libs/hypervisor';
import { passOnRoom } from '#libs/placement';
import { PermanentError, type StepContext } from '#libs/saga';
import { blockVolumeSpec, type Volume, volumeFileName } from '#libs/volumes';
import { stepProgress } from './step-progress.ts';
import { hostOfVolume } from './volume-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<
  StepContext<unknown, unknown, WorkflowDeps>,
  'sagaId' | 'actionId' | 'deps' | 'log' | 'signal'
>;

/** Disks have no largest size; what stands still is called off by the driver. */
export const BRINGING_TIMEOUT_SECONDS = 7 * 24 * 3600;

/** Where a volume is once it has been brought to a host. */
export interface Brought {
  /** Whether its room has to follow it. */
  readonly moves: boolean;
  /** Which copy of it is there. */
  readonly copyId: number | null;
  /** The one that it was copied from, which is whole until `leaveBehind`. */
  readonly left: { readonly hostId: number; readonly volumeName: string } | null;
}

/**
 * Has a volume at a host: it is there, or the host shows the storage that it lies on; else it is copied there, under a
 * name that no other workflow gives it, or made anew where nothing was ever written to it. No guest may have it meanwhile.
 * @throws PermanentError `volume_host_gone`
 */
export async function bringVolume(ctx: Context, volume: Volume, to: HostRef): Promise<Brought> {
  const { hypervisor, dataSource } = ctx.deps;
  const { copyId } = volume;
  if (volume.hostId === to.id) {
    if (!volume.hasData) await hypervisor.createVolume(to, blockVolumeSpec(volume));
    return { moves: false, copyId, left: null };
  }
  const fromVolumeName = volumeFileName(volume);
  const shown = await hypervisor.listVolumes(to, 'disks');
  if (shown.some(({ name }) => name === fromVolumeName)) return { moves: true, copyId, left: null };
  const from = await hostOfVolume(dataSource.manager, volume);
  if (!from) throw new PermanentError('volume_host_gone', 'the host of the volume is not there any more');
  const copy = { ...volume, copyId: ctx.sagaId };
  if (volume.hasData) {
    const options = { signal: ctx.signal, onProgress: stepProgress(ctx, { index: 0, of: 1 }) };
    await hypervisor.copyVolume(to, { volumeName: volumeFileName(copy), from, fromVolumeName }, options);
  } else {
    await hypervisor.createVolume(to, blockVolumeSpec(copy));
  }
  return { moves: true, copyId: ctx.sagaId, left: { hostId: from.id, volumeName: fromVolumeName } };
}

/**
 * The volume is at the host from now on, for good, and may be written to; its room there is a part of that which
 * `roomOf` has.
 */
export async function noteBrought(
  manager: EntityManager,
  volume: Pick<Volume, 'id' | 'sizeGib'>,
  to: HostRef,
  { moves, copyId }: Brought,
  roomOf: number,
): Promise<void> {
  if (moves) await passOnRoom(manager, { from: roomOf, to: volume.id, diskGib: volume.sizeGib });
  await manager.query('UPDATE volumes SET host_id = $2, copy_id = $3, has_data = true WHERE id = $1', [
    volume.id,
    to.id,
    copyId,
  ]);
}

/** Deletes what a volume was copied from. Where its host does not answer, the reconciler will when that is back. */
export async function leaveBehind(
  { deps, log }: Pick<Context, 'deps' | 'log'>,
  { left }: Brought,
): Promise<void> {
  if (!left) return;
  const host = await hostOfVolume(deps.dataSource.manager, left);
  if (!host) return;
  try {
    await deps.hypervisor.deleteVolume(host, left.volumeName);
  } catch (error) {
    if (!isHypervisorError(error, 'host_unreachable', 'host_timeout')) throw error;
    log.warn(
      { err: error, volumeName: left.volumeName },
      'a volume that was moved is still on its former host',
    );
  }
}

/** Takes back what `bringVolume` did, recorded (then it is `brought`) or not: one of the copies goes, the volume's own stays. */
export async function stopBringing(
  ctx: Context,
  volume: Volume,
  to: HostRef | undefined,
  brought: Brought | undefined,
): Promise<void> {
  if (brought) await leaveBehind(ctx, brought);
  else if (to) await ctx.deps.hypervisor.deleteVolume(to, volumeFileName({ ...volume, copyId: ctx.sagaId }));
}
