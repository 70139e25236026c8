import type { EntityManager } from 'typeorm';
import { Image } from '#libs/images';
import { deps, type StepContext, saga, type UndoContext } from '#libs/saga';
import { diskVolumeName, rebuildServerRequest, seedVolumeName } from '#libs/servers';
import { publishAccess, withdrawAccess } from './access.ts';
import { bootsNow } from './boot-clock.ts';
import {
  forgetBootSecrets,
  makeApplicationSecrets,
  makeHostKey,
  settleApplicationSecrets,
  writeSeed,
} from './first-boot.ts';
import { answersAsItself, hasBootedFirst, isHealthy, verificationOf } from './guest-checks.ts';
import { look, observe, type PowerState, writeSeen } from './power-state.ts';
import { baseOf, domainSpec, loadPlaced, type PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const BOOT_DEADLINE_SECONDS = 900;
/** As of an order: `credentialKindOf`. */
const CREDENTIAL_KIND = `CASE WHEN cardinality(servers.ssh_public_keys) > 0 THEN 'ssh_key'
  WHEN i.verification = 'identity' THEN 'password' ELSE 'image' END`;

interface Params {
  readonly serverId: number;
  readonly imageId: number;
  readonly generation: number;
}

/**
 * Puts a fresh disk of an image in the place of a server's own. The new disk and seed are made beside the old ones;
 * until the domain is switched over, a failure leaves the server as it was.
 */
export const rebuildServer = saga(rebuildServerRequest, deps<WorkflowDeps>())
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
      return look(ctx);
    },
    // Also what the request left: a password that the guest never got is not its owner's to see.
    undoTransact: async (manager, ctx, seen) => {
      const { serverId } = ctx.params;
      await ctx.deps.secrets.destroy(manager, serverId, 'pending_password', 'root_password', 'user_data');
      await writeSeen(manager, ctx, seen);
    },
  })
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
    undoTransact: async (manager, { params, deps, output }) => {
      if (output) {
        const { formerHostKey } = output;
        await manager.query(`UPDATE servers SET host_key = $2 WHERE id = $1`, [
          params.serverId,
          formerHostKey,
        ]);
      }
      await deps.secrets.destroy(manager, params.serverId, 'host_key', 'pending_application');
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
  .pointOfNoReturn('its owner gave up the old disk')
  .step('stop-domain', {
    title: 'Stopping it',
    do: async (ctx) => {
      const { server, host } = await nextOf(ctx);
      await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
      return {};
    },
    whenGivenUp: { undo: lookIfThere, undoTransact: leaveAsItIs },
  })
  .step('switch-disk', {
    title: 'Switching to the new disk',
    do: async (ctx) => {
      const next = await nextOf(ctx);
      await ctx.deps.hypervisor.defineDomain(next.host, {
        ...domainSpec(next),
        seedVolume: seedVolumeName(next.server),
      });
      return {};
    },
  })
  .step('start-domain', {
    title: 'Starting it',
    do: async (ctx) => {
      const { server, host } = await nextOf(ctx);
      await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return bootsNow();
    },
  })
  .wait('agent-answers', {
    title: 'Booting',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      const { startedAt } = ctx.outputs['start-domain'];
      const verifiedBy = await verificationOf(ctx.deps, await nextOf(ctx), startedAt);
      return verifiedBy && { verifiedBy };
    },
  })
  .wait('ssh-verified', {
    title: 'Checking its SSH identity',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      if (ctx.outputs['agent-answers'].verifiedBy !== 'identity') return {};
      return (await answersAsItself(ctx.deps, await nextOf(ctx))) ? {} : undefined;
    },
  })
  .wait('healthy', {
    title: 'Checking its health',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 2,
    check: async (ctx) => {
      const next = await nextOf(ctx);
      return (await hasBootedFirst(ctx.deps, next)) && (await isHealthy(ctx.deps, next)) ? {} : undefined;
    },
  })
  .step('erase-seed', {
    title: 'Erasing its first-boot seed',
    do: async (ctx) => {
      const { server, host } = await nextOf(ctx);
      await ctx.deps.hypervisor.detachSeed(host, server.domainUuid, seedVolumeName(server));
      return {};
    },
  })
  .step('switch-ports', {
    title: 'Opening its ports',
    do: async (ctx) => {
      const former = await loadPlaced(ctx.deps.dataSource.manager, ctx.params.serverId);
      await withdrawAccess(ctx.deps.access, former.image, former.address);
      const { image, address } = await nextOf(ctx);
      return { access: await publishAccess(ctx.deps.access, image, address) };
    },
  })
  .step('remove-old-disk', {
    title: 'Deleting the old disk',
    do: async ({ params, deps }) => {
      const former = await loadPlaced(deps.dataSource.manager, params.serverId);
      if (former.server.generation < params.generation) {
        await deps.hypervisor.deleteVolume(former.host, diskVolumeName(former.server));
        // Erased long ago; its empty volume is there where the former guest did not let go of it.
        await deps.hypervisor.deleteVolume(former.host, seedVolumeName(former.server));
      }
      return {};
    },
  })
  .step('hand-over', {
    title: 'Handing it over',
    transact: async (manager, { params, outputs, deps }) => {
      await settleApplicationSecrets(manager, deps, params.serverId);
      await forgetBootSecrets(manager, deps, { id: params.serverId });
      await manager.query(
        `UPDATE servers SET image_id = $2, upgraded_to = NULL, generation = $3, access = $4,
                            stands_on = i.frozen_disk_id, devices = i.devices, verified_by = $5, holds_timers = false,
                            host_key = CASE WHEN $5 = 'identity' THEN host_key END, credential_kind = ${CREDENTIAL_KIND}
         FROM images i WHERE servers.id = $1 AND i.id = $2`,
        [
          params.serverId,
          params.imageId,
          params.generation,
          JSON.stringify(outputs['switch-ports'].access),
          outputs['agent-answers'].verifiedBy,
        ],
      );
      await observe(manager, params.serverId, 'running');
      return {};
    },
  })
  .build();

/** The server as it will be: of the next generation, on the new image. */
async function nextOf({
  params,
  deps,
}: Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>): Promise<PlacedServer> {
  const { manager } = deps.dataSource;
  const placed = await loadPlaced(manager, params.serverId);
  const image = await manager.getRepository(Image).findOneByOrFail({ id: params.imageId });
  const { devices } = image;
  const server = { ...placed.server, imageId: image.id, generation: params.generation, devices };
  return { ...placed, image, server };
}

/** The host may be gone for good. */
function lookIfThere(ctx: Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>) {
  return look(ctx).catch((): PowerState => 'off');
}

/**
 * Its operator gave it up: the server keeps the disk that its domain has now, as it was found, and its owner may
 * rebuild or delete it. The other disk belongs to no server any more, so the reconciler removes it.
 */
async function leaveAsItIs(
  manager: EntityManager,
  ctx: UndoContext<Params, { 'make-identity': { formerHostKey: string | null } }, WorkflowDeps, unknown>,
  seen: PowerState,
): Promise<void> {
  const { serverId, imageId, generation } = ctx.params;
  if ('switch-disk' in ctx.outputs) await settleApplicationSecrets(manager, ctx.deps, serverId);
  await forgetBootSecrets(manager, ctx.deps, { id: serverId });
  if ('switch-disk' in ctx.outputs) {
    await manager.query(
      `UPDATE servers SET image_id = $2, upgraded_to = NULL, generation = $3,
                          stands_on = i.frozen_disk_id, devices = i.devices, credential_kind = ${CREDENTIAL_KIND}
       FROM images i WHERE servers.id = $1 AND i.id = $2`,
      [serverId, imageId, generation],
    );
  } else {
    await ctx.deps.secrets.destroy(manager, serverId, 'root_password');
    await manager.query(`UPDATE servers SET host_key = $2 WHERE id = $1`, [
      serverId,
      ctx.outputs['make-identity'].formerHostKey,
    ]);
  }
  await writeSeen(manager, ctx, seen);
}
