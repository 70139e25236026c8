import { deps, type StepContext, saga } from '#libs/saga';
import { mergeLayersRequest, noteMerged } from '#libs/servers';
import { placedServer } from './power-state.ts';
import { loadServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'sagaId' | 'params' | 'deps'>;

/** Disks have no largest size; whoever wants the server ends it sooner. */
const MERGE_DEADLINE_SECONDS = 24 * 3600;

/**
 * Merges the layers under the disk of a server that is off: QEMU does that for a machine that it has, so the machine is
 * started without running an instruction of its guest, and is off again afterwards. What its owner asks for meanwhile comes
 * first.
 */
export const mergeLayers = saga(mergeLayersRequest, deps<WorkflowDeps>())
  .step('look', {
    title: 'Looking whether it is off',
    do: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      const state = await ctx.deps.hypervisor.domainState(host, server.domainUuid);
      return { isOff: state === 'off' };
    },
    noUndo: 'only looks',
  })
  .step('start-paused', {
    title: 'Holding its disk',
    do: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      if (ctx.outputs.look.isOff) {
        await ctx.deps.hypervisor.startDomain(host, server.domainUuid, { paused: true });
      }
      return {};
    },
    undo: async (ctx) => {
      if (ctx.outputs.look.isOff) await letGo(ctx);
    },
  })
  .wait('merge', {
    title: 'Merging layers',
    deadlineSeconds: MERGE_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      if (!ctx.outputs.look.isOff || (await isWanted(ctx))) return { isMerged: false };
      const { host, server } = await placedServer(ctx);
      const { state } = await ctx.deps.hypervisor.mergeLayers(host, server.domainUuid);
      return state === 'merging' ? undefined : { isMerged: state === 'merged' };
    },
    noUndo: 'what was merged so far is no loss',
  })
  .step('let-go', {
    title: 'Letting go of its disk',
    do: async (ctx) => {
      if (ctx.outputs.look.isOff) await letGo(ctx);
      return {};
    },
    commit: async (manager, { params, outputs }) => {
      if (!outputs.merge.isMerged) return;
      await noteMerged(manager, (await loadServer(manager, params.serverId)).server);
    },
    noUndo: 'it is off, as it was',
  })
  .build();

/** Another workflow of the server waits behind this one. */
async function isWanted({ sagaId, params, deps }: Context): Promise<boolean> {
  const [other] = await deps.dataSource.query<unknown[]>(
    `SELECT FROM sagas WHERE subject_type = 'server' AND subject_id = $1 AND id <> $2 AND finished_at IS NULL LIMIT 1`,
    [params.serverId, sagaId],
  );
  return other !== undefined;
}

async function letGo(ctx: Context): Promise<void> {
  const { host, server } = await placedServer(ctx);
  await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
}
