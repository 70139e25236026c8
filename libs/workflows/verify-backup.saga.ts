import type { EntityManager } from 'typeorm';
import { ServerType } from '#libs/catalog';
import { type HostRef, isHypervisorError } from '#libs/hypervisor';
import { Image } from '#libs/images';
import { bytesToWholeGib, DomainError } from '#libs/kernel';
import { addressOf } from '#libs/networks';
import { fits, Host, release, reserve, toHostRef } from '#libs/placement';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import {
  callOff,
  noteTested,
  RestoreTest,
  restoreTestName,
  restoreVolumeName,
  verifyBackupRequest,
} from '#libs/servers';
import { bootsNow } from './boot-clock.ts';
import { lookAtRestored, RESTORE_DEADLINE_SECONDS, type Restored } from './restore-checks.ts';
import { baseOf, findHost, loadServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<
  StepContext<{ restoreTestId: number }, { room: { hostId: number } }, WorkflowDeps>,
  'params' | 'deps' | 'outputs'
>;

const ROOM_DEADLINE_SECONDS = 2 * 3600;
/** What a host refuses once may be its own trouble. */
const TRIES_TO_START = 3;
/** Why a saga turned back that tells of the backup, in words for its owner. All else says nothing about it. */
const FAILURES: Readonly<Record<string, string>> = {
  volume_missing: 'its disk, or what that stands on, is not there any more',
  backup_not_startable: 'no machine could be started from it',
};

/**
 * Tries out whether a backup can be started from: a machine that nobody knows, in an overlay on the frozen disk and with its
 * network unplugged, is looked at and removed. Nothing of its server is touched, nothing is billed.
 */
export const verifyBackup = saga(verifyBackupRequest, deps<WorkflowDeps>())
  .wait('room', {
    title: 'Waiting for room',
    deadlineSeconds: ROOM_DEADLINE_SECONDS,
    everySeconds: 60,
    transact: takeRoom,
    undoTransact: async (manager, { params: { restoreTestId: id }, deps: { findings }, reason }) => {
      await release(manager, id);
      const failure = FAILURES[reason.code];
      if (failure === undefined) return callOff(manager, id);
      await noteTested(manager, findings, await testOf(manager, id), { failure, checks: [] });
    },
  })
  .step('lay-disk', {
    title: 'Laying a disk on it',
    do: async (ctx) => {
      const { manager } = ctx.deps.dataSource;
      const { test, image } = await restoredOf(ctx);
      const overlay = {
        volumeName: restoreVolumeName(test.id),
        base: await baseOf(manager, image),
        sizeGib: bytesToWholeGib(image.virtualSizeBytes),
      };
      const host = await hostOf(ctx);
      await startable(ctx, () => ctx.deps.hypervisor.createOverlay(host, overlay));
      return {};
    },
    undo: removeAll,
  })
  .step('boot', {
    title: 'Starting it, unplugged',
    do: async (ctx) => {
      const { hypervisor } = ctx.deps;
      const host = await hostOf(ctx);
      const { test, spec } = await restoredOf(ctx);
      await hypervisor.defineDomain(host, spec);
      await hypervisor.setNetwork(host, test.domainUuid, 'closed');
      await startable(ctx, () => hypervisor.startDomain(host, test.domainUuid));
      return bootsNow();
    },
    undo: removeAll,
  })
  .wait('look', {
    title: 'Looking at it',
    deadlineSeconds: 2 * RESTORE_DEADLINE_SECONDS,
    everySeconds: 5,
    check: async (ctx) => {
      const restored = await restoredOf(ctx);
      return lookAtRestored(ctx.deps, await hostOf(ctx), restored, ctx.outputs.boot.startedAt);
    },
    noUndo: 'only looks',
  })
  .step('clear-up', {
    title: 'Removing it',
    do: async (ctx) => {
      await removeAll(ctx);
      return {};
    },
    commit: async (manager, { params: { restoreTestId: id }, outputs, deps: { findings } }) => {
      await release(manager, id);
      await noteTested(manager, findings, await testOf(manager, id), outputs.look);
    },
    noUndo: 'there is nothing left',
  })
  .build();

/**
 * Reserves room as an order does, under the test's own id, and only where as much again stays free: an order that comes
 * meanwhile finds its place. @throws PermanentError `backup_gone`
 */
async function takeRoom(
  manager: EntityManager,
  { params: { restoreTestId } }: Pick<Context, 'params'>,
): Promise<{ hostId: number } | undefined> {
  const { imageId, serverId } = await testOf(manager, restoreTestId);
  const image = await manager.getRepository(Image).findOneByOrFail({ id: imageId });
  if (image.deletedAt) throw backupGone(image);
  const { server, type } = await loadServer(manager, serverId);
  const { vcpus, memoryMib } = type;
  const { diskGib } = server;
  const place = { locationId: server.locationId, imageId };
  const twice = { vcpus: 2 * vcpus, memoryMib: 2 * memoryMib, diskGib: 2 * diskGib };
  if (!(await fits(manager, { ...place, ...twice }))) return undefined;
  try {
    const demand = { serverId: restoreTestId, vcpus, memoryMib, diskGib };
    return { hostId: await reserve(manager, { ...place, ...demand }) };
  } catch (error) {
    if (error instanceof DomainError && error.code === 'resource_unavailable') return undefined;
    throw error;
  }
}

function testOf(manager: EntityManager, id: number): Promise<RestoreTest> {
  return manager.getRepository(RestoreTest).findOneByOrFail({ id });
}

/** The machine has the shape, and the card, that its server has now, and the devices that the backup starts from. @throws PermanentError `server_gone`, `backup_gone` */
async function restoredOf({ params, deps }: Pick<Context, 'params' | 'deps'>): Promise<Restored> {
  const { manager } = deps.dataSource;
  const test = await testOf(manager, params.restoreTestId);
  const image = await manager.getRepository(Image).findOneByOrFail({ id: test.imageId });
  const { server } = await loadServer(manager, test.serverId);
  const type = await manager.getRepository(ServerType).findOneByOrFail({ id: server.serverTypeId });
  const address = await addressOf(manager, server.id);
  if (image.deletedAt || !address) throw backupGone(image);
  return {
    ...{ test, image, server, serverHost: await findHost(manager, server) },
    spec: {
      uuid: test.domainUuid,
      name: restoreTestName(test.id),
      serverId: server.id,
      vcpus: type.vcpus,
      memoryMib: type.memoryMib,
      diskVolume: restoreVolumeName(test.id),
      mac: address.mac,
      ipv4: address.ip,
      ...image.devices,
    },
  };
}

function backupGone({ id }: Image): PermanentError {
  return new PermanentError('backup_gone', `backup ${id} was deleted while it was tried out`);
}

async function hostOf({ deps, outputs }: Pick<Context, 'deps' | 'outputs'>): Promise<HostRef> {
  const { hostId } = outputs.room;
  return toHostRef(await deps.dataSource.getRepository(Host).findOneByOrFail({ id: hostId }));
}

/** @throws PermanentError `backup_not_startable` where the host goes on refusing */
async function startable(ctx: { readonly attempt: number }, work: () => Promise<void>): Promise<void> {
  await work().catch((cause: unknown) => {
    if (!isHypervisorError(cause, 'host_refused') || ctx.attempt < TRIES_TO_START) throw cause;
    throw new PermanentError('backup_not_startable', cause.message, { cause });
  });
}

/** Machine and disk. Nothing being there is success. */
async function removeAll(ctx: Context): Promise<void> {
  const { hypervisor, dataSource } = ctx.deps;
  const host = await hostOf(ctx);
  const { id, domainUuid } = await testOf(dataSource.manager, ctx.params.restoreTestId);
  await hypervisor.undefineDomain(host, domainUuid);
  await hypervisor.deleteVolume(host, restoreVolumeName(id));
}
