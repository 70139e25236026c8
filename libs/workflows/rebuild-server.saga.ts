import type { EntityManager } from 'typeorm';
import { Image, type Verification } from '#libs/images';
import { deps, saga, type UndoContext } from '#libs/saga';
import { diskVolumeName, rebuildServerRequest, type ServerAccess, seedVolumeName } from '#libs/servers';
import { bootsNow } from './boot-clock.ts';
import { eraseSeed, makeApplicationSecrets, makeHostKey, writeSeed } from './first-boot.ts';
import {
  answersAsItself,
  assertStillRunning,
  hasBootedFirst,
  isHealthy,
  verificationOf,
} from './guest-checks.ts';
import { lookIfThere, observe, type PowerState, placedServer, writeSeen } from './power-state.ts';
import {
  forgetNext,
  formerOf,
  nextOf,
  noteRebuilt,
  type Rebuilding,
  showPorts,
  showPortsIfPossible,
  switchToNext,
} from './rebuilding.ts';
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
  // Takes back what the request left, behind all others, so that a host that is lost cannot keep that from being done.
  .step('prepare', {
    title: 'Preparing',
    transact: async () => ({}),
    undo: lookIfThere,
    undoTransact: async (manager, ctx, seen) => {
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
  .step('make-identity', {
    title: 'Making its SSH identity',
    transact: async (manager, { params, deps }) => {
      const { server } = await loadPlaced(manager, params.serverId);
      const hostKey = await makeHostKey(manager, deps, params.serverId);
      const image = await manager.getRepository(Image).findOneByOrFail({ id: params.imageId });
      await makeApplicationSecrets(manager, deps, params.serverId, image);
      await noteHostKey(manager, params, hostKey);
      return { formerHostKey: server.hostKey };
    },
    undoTransact: async (manager, { params, output }) => {
      if (output) await noteHostKey(manager, params, output.formerHostKey);
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
      await eraseSeed(ctx.deps, await nextOf(ctx));
      return {};
    },
    whenGivenUp: { undo: findAsItIs, undoTransact: leaveAsItIs },
  })
  .step('switch-ports', {
    title: 'Opening its ports',
    do: async (ctx) => ({ access: await showPorts(ctx) }),
  })
  .step('remove-old-disk', {
    title: 'Deleting the old disk',
    do: async (ctx) => {
      const { host } = await placedServer(ctx);
      const [former, { hypervisor }] = [formerOf(ctx.params), ctx.deps];
      await hypervisor.deleteVolume(host, diskVolumeName(former));
      // Erased long ago; its empty volume is there where the former guest did not let go of it.
      await hypervisor.deleteVolume(host, seedVolumeName(former));
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
}

/** How it was found when it was given up. */
interface Left {
  readonly seen: PowerState;
  readonly access: readonly ServerAccess[];
}

async function findAsItIs(
  ctx: Parameters<typeof showPorts>[0] & { readonly attempt: number },
): Promise<Left> {
  return { seen: await lookIfThere(ctx), access: await showPortsIfPossible(ctx) };
}

/**
 * Its operator gave it up: it goes on from the new disk, as it was found. The old one belongs to no server any more, and
 * nobody reads the seed again, so the reconciler removes both.
 */
async function leaveAsItIs(
  manager: EntityManager,
  ctx: UndoContext<Rebuilding, Verified, WorkflowDeps, unknown>,
  { seen, access }: Left,
): Promise<void> {
  await noteRebuilt(manager, ctx, { ...ctx.outputs['agent-answers'], access });
  await writeSeen(manager, ctx, seen);
}

async function noteHostKey(
  manager: EntityManager,
  { serverId }: Pick<Rebuilding, 'serverId'>,
  hostKey: string | null,
): Promise<void> {
  await manager.query('UPDATE servers SET host_key = $2 WHERE id = $1', [serverId, hostKey]);
}
