import type { EntityManager } from 'typeorm';
import type { Frozen } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import { diskVolumeName, memoryVolumeName, recordFreeze } from '#libs/servers';
import { placedServer } from './power-state.ts';
import { loadServer } from './server-context.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A server's disk becomes the frozen disk, and the server goes on with the one of `generation`. */
export interface Freezing {
  readonly serverId: number;
  readonly frozenDiskId: number;
  readonly generation: number;
  /** With what the guest holds in memory. */
  readonly withMemory?: boolean;
}

type Context = Pick<StepContext<Freezing, unknown, WorkflowDeps>, 'params' | 'deps'>;

export function volumesOf({ params: { serverId: id, generation, withMemory } }: Pick<Context, 'params'>) {
  const frozen = { id, generation: generation - 1 };
  return {
    frozenVolume: diskVolumeName(frozen),
    nextVolume: diskVolumeName({ id, generation }),
    ...(withMemory && { memoryVolume: memoryVolumeName(frozen) }),
  };
}

/** Freezes the disk under the guest, which goes on in an overlay on it. */
export async function freeze(ctx: Context): Promise<Pick<Frozen, 'consistency' | 'hasMemory'>> {
  const { host, server } = await placedServer(ctx);
  const frozen = await ctx.deps.hypervisor.freezeDisk(host, server.domainUuid, volumesOf(ctx));
  await goOn(ctx);
  return { consistency: frozen.consistency, hasMemory: frozen.hasMemory };
}

/**
 * Takes back a freeze that was not recorded. A domain that has gone over to the overlay stays there: what is beneath it is
 * merged and removed later.
 */
export async function unfreeze(ctx: Context): Promise<{ readonly goesOn: boolean }> {
  const { host, server } = await placedServer(ctx);
  const { nextVolume } = volumesOf(ctx);
  const domains = await ctx.deps.hypervisor.listDomains(host);
  const goesOn = domains.some(
    ({ uuid, volumes }) => uuid === server.domainUuid && volumes.includes(nextVolume),
  );
  if (goesOn) await goOn(ctx);
  else await ctx.deps.hypervisor.deleteVolume(host, nextVolume);
  return { goesOn };
}

/** What was kept of its memory is no more. */
export async function forgetMemory(ctx: Context): Promise<void> {
  const { host } = await placedServer(ctx);
  const { memoryVolume } = volumesOf(ctx);
  if (memoryVolume !== undefined) await ctx.deps.hypervisor.deleteVolume(host, memoryVolume);
}

export async function recordFrozen(
  manager: EntityManager,
  { params }: Pick<Context, 'params'>,
  consistency: Frozen['consistency'],
): Promise<void> {
  const { server } = await loadServer(manager, params.serverId);
  await recordFreeze(manager, server, {
    id: params.frozenDiskId,
    consistency,
    nextGeneration: params.generation,
  });
}

/** The domain has the overlay for good. */
async function goOn(ctx: Context): Promise<void> {
  await switchDisk(ctx.deps, await placedServer(ctx), ctx.params.generation);
}
