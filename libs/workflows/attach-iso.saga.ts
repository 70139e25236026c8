import type { EntityManager } from 'typeorm';
import { attachIsoRequest } from '#libs/isos';
import { deps, type StepContext, saga } from '#libs/saga';
import { placedServer } from './power-state.ts';
import { isoOf } from './server-context.ts';
import { defineAs } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** Puts an ISO image into a server's CD drive, in place of what is in it. */
export const attachIso = saga(attachIsoRequest, deps<WorkflowDeps>())
  .step('eject-former', {
    title: 'Emptying its CD drive',
    do: async (ctx) => {
      if (ctx.params.formerIsoId !== null) await ejectIso(ctx);
      return {};
    },
    commit: (manager, { params }) => noteIso(manager, params.serverId, null),
    undo: async (ctx) => {
      if (ctx.params.formerIsoId !== null) await insertIso(ctx, ctx.params.formerIsoId);
    },
    undoTransact: (manager, { params }) => noteIso(manager, params.serverId, params.formerIsoId),
  })
  .step('insert', {
    title: 'Putting the ISO image in',
    do: async (ctx) => {
      await insertIso(ctx, ctx.params.isoId);
      return {};
    },
    commit: (manager, { params }) => noteIso(manager, params.serverId, params.isoId),
    undo: ejectIso,
    undoTransact: (manager, { params }) => noteIso(manager, params.serverId, null),
  })
  .build();

/** Its machine is defined anew with it: one of an earlier release would start from its own disk first. */
export async function insertIso(ctx: Context, isoId: number): Promise<void> {
  const { manager } = ctx.deps.dataSource;
  const [placed, iso] = await Promise.all([placedServer(ctx), isoOf(manager, isoId)]);
  if (!iso) return;
  await defineAs(ctx.deps, { ...placed, iso }, {});
  await ctx.deps.hypervisor.insertIso(placed.host, placed.server.domainUuid, iso.volumeName);
}

export async function ejectIso(ctx: Context): Promise<void> {
  const { host, server } = await placedServer(ctx);
  await ctx.deps.hypervisor.ejectIso(host, server.domainUuid);
}

export async function noteIso(manager: EntityManager, serverId: number, isoId: number | null): Promise<void> {
  await manager.query('UPDATE servers SET iso_id = $2 WHERE id = $1', [serverId, isoId]);
}
