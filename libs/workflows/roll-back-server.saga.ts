import { deps, saga } from '#libs/saga';
import { rollBackServerRequest } from '#libs/servers';
import { publishAccess } from './access.ts';
import { look, placedServer, writeSeen } from './power-state.ts';
import {
  cloneFrozen,
  nextVolume,
  noteRollBack,
  restoreAccess,
  showAccess,
  switchToNext,
} from './rolling-back.ts';
import { startIfWanted, stop } from './stop-and-start.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Puts a server back to what was frozen of its disk, in place: its machine, address and name stay, and its system knows
 * itself by what it was then, for no first boot comes again. The present disk is set aside untouched, so that a failure
 * at any step ends with the server going on from it, and so that the roll back itself can be rolled back.
 */
export const rollBackServer = saga(rollBackServerRequest, deps<WorkflowDeps>())
  .step('clone-disk', {
    title: 'Making a disk of the snapshot',
    do: async (ctx) => {
      await cloneFrozen(ctx);
      return {};
    },
    undo: async (ctx) => {
      const { host } = await placedServer(ctx);
      await ctx.deps.hypervisor.deleteVolume(host, nextVolume(ctx));
      return look(ctx);
    },
    undoTransact: async (manager, ctx, seen) => {
      await manager.query(
        `UPDATE images SET status = 'unavailable', deleted_at = coalesce(deleted_at, now()) WHERE id = $1`,
        [ctx.params.keptImageId],
      );
      await writeSeen(manager, ctx, seen);
    },
  })
  .step('stop-domain', {
    title: 'Stopping it',
    do: async (ctx) => {
      await stop(ctx);
      return {};
    },
    undo: startIfWanted,
  })
  .step('switch-disk', {
    title: 'Switching to the disk of the snapshot',
    do: async (ctx) => {
      await switchToNext(ctx);
      return {};
    },
    undo: async (ctx) => {
      const placed = await placedServer(ctx);
      await ctx.deps.hypervisor.destroyDomain(placed.host, placed.server.domainUuid);
      await switchDisk(ctx.deps, placed, placed.server.generation);
    },
  })
  .step('hand-over', {
    title: 'Opening its ports',
    do: restoreAccess,
    undo: async (ctx) => {
      const { image, address } = await placedServer(ctx);
      return { access: await publishAccess(ctx.deps.access, image, address) };
    },
    undoTransact: (manager, { params }, { access }) => showAccess(manager, params.serverId, access),
  })
  // Asked to turn back while this is recorded, it would take the disk away that the server's row has by then.
  .pointOfNoReturn(
    'the server is on the disk of the snapshot, and all that is left is to say so',
    'take_back',
  )
  .step('conclude', {
    title: 'Handing it over',
    transact: async (manager, ctx) => {
      await noteRollBack(manager, ctx, ctx.outputs['hand-over']);
      return {};
    },
  })
  .build();
