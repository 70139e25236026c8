import type { EntityManager } from 'typeorm';
import { resizeServer } from '#libs/billing';
import { demandOf, ServerType } from '#libs/catalog';
import { changeReservation } from '#libs/placement';
import { deps, type StepContext, saga, type UndoContext } from '#libs/saga';
import { changeTypeRequest, diskVolumeName, lockServer } from '#libs/servers';
import { look, lookIfThere, observe, type PowerState, placedServer, writeSeen } from './power-state.ts';
import { startIfWanted } from './stop-and-start.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A guest that has not gone down by then does not listen to its power button; its plug is not pulled. */
const SHUTDOWN_DEADLINE_SECONDS = 180;

interface Params {
  readonly serverId: number;
  readonly serverTypeId: number;
  readonly diskGib: number;
  readonly formerTypeId: number;
  readonly formerDiskGib: number;
  readonly power: PowerState;
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;

/**
 * Gives a server another type, and a larger disk where that is asked for: it is shut down, its machine is defined anew, and it
 * is started. The room was taken with the request. Until its disk may have grown a failure leaves the server as it was; from
 * then on it is of the new type and billed as such.
 */
export const changeType = saga(changeTypeRequest, deps<WorkflowDeps>())
  .step('shut-down', {
    title: 'Shutting it down',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      if (ctx.params.power === 'running') await ctx.deps.hypervisor.shutdownDomain(host, server.domainUuid);
      return {};
    },
    undo: async (ctx) => {
      await startIfWanted(ctx);
      return look(ctx);
    },
    // Also the room that the request took.
    undoTransact: async (manager, ctx, seen) => {
      const { serverId, formerTypeId, formerDiskGib } = ctx.params;
      await takeRoom(manager, { serverId, serverTypeId: formerTypeId, diskGib: formerDiskGib });
      await writeSeen(manager, ctx, seen);
    },
  })
  .wait('down', {
    title: 'Waiting until it is down',
    deadlineSeconds: SHUTDOWN_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => ((await look(ctx)) === 'off' ? {} : undefined),
    noUndo: 'only looks',
  })
  .step('define-domain', {
    title: 'Changing the virtual machine',
    do: async (ctx) => {
      await defineAs(ctx, ctx.params.serverTypeId);
      return {};
    },
    undo: (ctx) => defineAs(ctx, ctx.params.formerTypeId),
  })
  .pointOfNoReturn('a disk does not shrink')
  .step('change-type', {
    title: 'Changing its type and price',
    transact: async (manager, { params }) => {
      await takeRoom(manager, params);
      await noteType(manager, params);
      return {};
    },
    whenGivenUp: { undo: lookIfThere, undoTransact: leaveAsItIs },
  })
  .step('grow-disk', {
    title: 'Growing its disk',
    do: async (ctx) => {
      const { diskGib, formerDiskGib } = ctx.params;
      const { server, host } = await placedServer(ctx);
      if (diskGib > formerDiskGib) {
        const volumeName = diskVolumeName(server);
        await ctx.deps.hypervisor.growVolume(host, { volumeName, sizeGib: diskGib });
      }
      return {};
    },
    commit: async (manager, { params }) => {
      await manager.query('UPDATE servers SET disk_gib = $2 WHERE id = $1', [
        params.serverId,
        params.diskGib,
      ]);
    },
  })
  .step('start-domain', {
    title: 'Starting it',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return {};
    },
    commit: (manager, { params }) => observe(manager, params.serverId, 'running'),
  })
  .build();

/** Its machine is defined as of a type, whatever it is of now, on the disk and the network that it has. */
async function defineAs(ctx: Context, serverTypeId: number): Promise<void> {
  const placed = await placedServer(ctx);
  const type = await typeOf(ctx.deps.dataSource.manager, serverTypeId);
  await switchDisk(ctx.deps, { ...placed, type }, placed.server.generation);
}

function typeOf(manager: EntityManager, id: number): Promise<ServerType> {
  return manager.getRepository(ServerType).findOneByOrFail({ id });
}

async function takeRoom(
  manager: EntityManager,
  { serverId, serverTypeId, diskGib }: Pick<Params, 'serverId' | 'serverTypeId' | 'diskGib'>,
): Promise<void> {
  await lockServer(manager, serverId);
  const type = await typeOf(manager, serverTypeId);
  await changeReservation(manager, serverId, { ...demandOf(type), diskGib });
}

/** It is off: CPU and RAM of the new type are billed from its start. A server that is being deleted is billed no more. */
async function noteType(
  manager: EntityManager,
  { serverId, serverTypeId }: Pick<Params, 'serverId' | 'serverTypeId'>,
): Promise<void> {
  const { desired } = await lockServer(manager, serverId);
  await manager.query('UPDATE servers SET server_type_id = $2 WHERE id = $1', [serverId, serverTypeId]);
  if (desired === 'deleted') return;
  await observe(manager, serverId, 'off');
  const { name } = await typeOf(manager, serverTypeId);
  await resizeServer(manager, serverId, { serverTypeName: name, isRunning: false });
}

/** Its operator gave it up: it is of the new type, with the disk that it is known to have, as it was found. */
async function leaveAsItIs(
  manager: EntityManager,
  ctx: UndoContext<Params, unknown, WorkflowDeps, unknown>,
  seen: PowerState,
): Promise<void> {
  const { serverId, serverTypeId } = ctx.params;
  await noteType(manager, ctx.params);
  const { diskGib } = await lockServer(manager, serverId);
  await takeRoom(manager, { serverId, serverTypeId, diskGib });
  await writeSeen(manager, ctx, seen);
}
