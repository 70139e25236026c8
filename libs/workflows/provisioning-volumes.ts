import type { EntityManager } from 'typeorm';
import type { StepContext, UndoContext } from '#libs/saga';
import { volumesOfServer } from '#libs/volumes';
import { findHost, loadPlaced, loadServer } from './server-context.ts';
import {
  BRINGING_TIMEOUT_SECONDS,
  type Brought,
  bringVolume,
  leaveBehind,
  noteBrought,
  stopBringing,
} from './volume-bringing.ts';
import { mountInGuest, unmountInGuest } from './volume-mounting.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

interface Params {
  readonly serverId: number;
  readonly automount: boolean;
}

/** By the ids of the volumes. */
type AllBrought = { readonly volumes: readonly (readonly [id: number, brought: Brought])[] };

type Context<Outputs = unknown> = StepContext<Params, Outputs, WorkflowDeps>;

/**
 * The volumes that a server was ordered with are its own from its order on, so the machine is defined with them. What
 * was written to stays where it is reached, as the server was placed; what was not is made at its host.
 */
export const bringingVolumes = {
  title: 'Bringing its volumes',
  timeoutSeconds: BRINGING_TIMEOUT_SECONDS,
  do: async (ctx: Context): Promise<AllBrought> => {
    const { volumes, host } = await loadPlaced(ctx.deps.dataSource.manager, ctx.params.serverId);
    const brought: [number, Brought][] = [];
    for (const volume of volumes) brought.push([volume.id, await bringVolume(ctx, volume, host)]);
    return { volumes: brought };
  },
  commit: async (manager: EntityManager, { params }: Context, output: AllBrought) => {
    const { volumes, host } = await loadPlaced(manager, params.serverId);
    const brought = new Map(output.volumes);
    for (const volume of volumes) {
      const how = brought.get(volume.id);
      if (how) await noteBrought(manager, volume, host, how, params.serverId);
    }
  },
  undo: async (ctx: UndoContext<Params, unknown, WorkflowDeps, AllBrought>) => {
    const { manager } = ctx.deps.dataSource;
    const { server } = await loadServer(manager, ctx.params.serverId);
    const host = await findHost(manager, server);
    const brought = new Map(ctx.output?.volumes);
    for (const volume of await volumesOfServer(manager, server.id)) {
      await stopBringing(ctx, volume, host, brought.get(volume.id));
    }
  },
};

/** What an older release has begun has brought nothing. */
type Bringing = { readonly 'bring-volumes'?: AllBrought };

export const mountingVolumes = {
  title: 'Mounting its volumes',
  do: async (ctx: Context<Bringing>) => {
    const { serverId, automount } = ctx.params;
    let mounted = 0;
    for (const [volumeId, brought] of ctx.outputs['bring-volumes']?.volumes ?? []) {
      await leaveBehind(ctx, brought);
      if (automount && (await mountInGuest({ ...ctx, params: { volumeId, serverId } }))) mounted += 1;
    }
    return { mounted };
  },
  /** What the guest has not written yet would be lost with it. */
  undo: async (ctx: UndoContext<Params, unknown, WorkflowDeps, unknown>) => {
    const { serverId } = ctx.params;
    for (const { id: volumeId } of await volumesOfServer(ctx.deps.dataSource.manager, serverId)) {
      await unmountInGuest({ ...ctx, params: { volumeId, serverId } });
    }
  },
};
