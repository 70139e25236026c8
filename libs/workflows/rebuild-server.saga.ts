import type { EntityManager } from 'typeorm';
import { Image, type Verification } from '#libs/images';
import { deps, saga, type UndoContext } from '#libs/saga';
import { diskVolumeName, rebuildServerRequest, type ServerAccess, seedVolumeName } from '#libs/servers';
import { switchAccess } from './access.ts';
import { bootsNow } from './boot-clock.ts';
import { makeApplicationSecrets, makeHostKey, writeSeed } from './first-boot.ts';
import {
  answersAsItself,
  assertStillRunning,
  hasBootedFirst,
  isHealthy,
  verificationOf,
} from './guest-checks.ts';
import { lookIfThere, observe, type PowerState, placedServer, writeSeen } from './power-state.ts';
import { forgetNext, nextOf, noteRebuilt, type Rebuilding, switchToNext } from './rebuilding.ts';
import { baseOf, loadPlaced } from './server-context.ts';
import { startIfWanted, stop } from './stop-and-start.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const BOOT_DEADLINE_SECONDS = 900;

/**
 * Puts a fresh disk of an image in the place of a server's own. The new disk and seed are made beside the old ones, which
 * wait untouched until the new guest has been seen to work: a failure before that ends with the server as it was.
 */
export const rebuildServer = saga(rebuildServerRequest, deps<WorkflowDeps>())
  .step('make-identity', {
    title: 'Making its SSH identity',
    transact: async (manager, { params, deps }) => {
      const { server } = await loadPlaced(manager, params.serverId);
      const hostKey = await makeHostKey(manager, deps, params.serverId);
      const image = await manager.getRepository(Image).findOneByOrFail({ id: params.imageId });
      await makeApplicationSecrets(manager, deps, params.serverId, image);
      await manager.query(`UPDATE servers SET host_key = $2 WHERE id = $1`, [params.serverId, hostKey]);
      return { formerHostKey: server.hostKey };
    },
    // Also what the request left: as the first step, so that a host that is lost cannot keep it from being done.
    undo: lookIfThere,
    undoTransact: async (manager, ctx, seen) => {
      if (ctx.output) {
        const { formerHostKey } = ctx.output;
        await manager.query(`UPDATE servers SET host_key = $2 WHERE id = $1`, [
          ctx.params.serverId,
          formerHostKey,
        ]);
      }
      await forgetNext(manager, ctx);
      await writeSeen(manager, ctx, seen);
    },
  })
  .step('clone-disk', {
    title: 'Cloning the golden image',
    do: async (ctx) => {
      const { server, host, image } = await nextOf(ctx);
      const volumeName = diskVolumeName(server);
      await ctx.deps.hypervisor.createOverlay(host, {
        volumeName,
        base: await baseOf(ctx.deps.dataSource.manager, image),
        sizeGib: server.diskGib,
      });
      return { volumeName };
    },
    undo: async (ctx) => {
      const { server, host } = await nextOf(ctx);
      await ctx.deps.hypervisor.deleteVolume(host, diskVolumeName(server));
    },
  })
  .step('write-seed', {
    title: 'Writing its first-boot seed',
    do: async (ctx) => {
      const next = await nextOf(ctx);
      await writeSeed(ctx.deps, next);
      return { volumeName: seedVolumeName(next.server) };
    },
    undo: async (ctx) => {
      const { server, host } = await nextOf(ctx);
      await ctx.deps.hypervisor.deleteVolume(host, seedVolumeName(server), { wipe: true });
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
    title: 'Switching to the new disk',
    do: async (ctx) => {
      await switchToNext(ctx);
      return {};
    },
    undo: async (ctx) => {
      const former = await placedServer(ctx);
      await switchDisk(ctx.deps, former, former.server.generation);
    },
  })
  .step('start-domain', {
    title: 'Starting it',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return bootsNow();
    },
    undo: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
    },
  })
  .wait('agent-answers', {
    title: 'Booting',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      const next = await nextOf(ctx);
      await assertStillRunning(ctx.deps, next);
      const verifiedBy = await verificationOf(ctx.deps, next, ctx.outputs['start-domain'].startedAt);
      return verifiedBy && { verifiedBy };
    },
    noUndo: 'only looks',
  })
  .wait('ssh-verified', {
    title: 'Checking its SSH identity',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      const next = await nextOf(ctx);
      await assertStillRunning(ctx.deps, next);
      if (ctx.outputs['agent-answers'].verifiedBy !== 'identity') return {};
      return (await answersAsItself(ctx.deps, next)) ? {} : undefined;
    },
    noUndo: 'only looks',
  })
  .wait('healthy', {
    title: 'Checking its health',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 2,
    check: async (ctx) => {
      const next = await nextOf(ctx);
      await assertStillRunning(ctx.deps, next);
      return (await hasBootedFirst(ctx.deps, next)) && (await isHealthy(ctx.deps, next)) ? {} : undefined;
    },
    noUndo: 'only looks',
  })
  .pointOfNoReturn('the new system works, and its owner gave up the old disk')
  .step('erase-seed', {
    title: 'Erasing its first-boot seed',
    do: async (ctx) => {
      const { server, host } = await nextOf(ctx);
      await ctx.deps.hypervisor.detachSeed(host, server.domainUuid, seedVolumeName(server));
      return {};
    },
    whenGivenUp: { undo: lookIfThere, undoTransact: leaveAsItIs },
  })
  .step('switch-ports', {
    title: 'Opening its ports',
    do: async (ctx) => {
      const former = await placedServer(ctx);
      const { image, address } = await nextOf(ctx);
      return { access: await switchAccess(ctx.deps.access, former.image, image, address) };
    },
  })
  .step('remove-old-disk', {
    title: 'Deleting the old disk',
    do: async (ctx) => {
      const former = await placedServer(ctx);
      const { hypervisor } = ctx.deps;
      await hypervisor.deleteVolume(former.host, diskVolumeName(former.server));
      // Erased long ago; its empty volume is there where the former guest did not let go of it.
      await hypervisor.deleteVolume(former.host, seedVolumeName(former.server));
      return {};
    },
  })
  .step('hand-over', {
    title: 'Handing it over',
    transact: async (manager, ctx) => {
      const { access } = ctx.outputs['switch-ports'];
      await noteRebuilt(manager, ctx, { ...ctx.outputs['agent-answers'], access });
      await observe(manager, ctx.params.serverId, 'running');
      return {};
    },
  })
  .build();

interface Verified {
  readonly 'agent-answers': { readonly verifiedBy: Verification };
  readonly 'switch-ports'?: { readonly access: readonly ServerAccess[] };
}

/**
 * Its operator gave it up: it goes on from the new disk, as it was found. The old one belongs to no server any more, so the
 * reconciler removes it.
 */
async function leaveAsItIs(
  manager: EntityManager,
  ctx: UndoContext<Rebuilding, Verified, WorkflowDeps, unknown>,
  seen: PowerState,
): Promise<void> {
  const { 'agent-answers': verified, 'switch-ports': opened } = ctx.outputs;
  await noteRebuilt(manager, ctx, { ...verified, ...opened });
  await writeSeen(manager, ctx, seen);
}
