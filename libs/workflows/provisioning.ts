import type { EntityManager } from 'typeorm';
import type { Verification } from '#libs/images';
import { addressOf, releaseAddress } from '#libs/networks';
import { finishOrder, type Order, orderOfServer } from '#libs/orders';
import { declined } from '#libs/payments';
import { outOfCapacity, release } from '#libs/placement';
import type { StepContext, UndoContext } from '#libs/saga';
import { lockServer, recordDone, type Server } from '#libs/servers';
import { releaseVolumesOf, volumesOfServer } from '#libs/volumes';
import { publishAccess, withdrawAccess } from './access.ts';
import { bootsNow } from './boot-clock.ts';
import { eraseSeed, forgetBootSecrets, settleApplicationSecrets } from './first-boot.ts';
import { openBilling } from './open-billing.ts';
import { findHost, loadPlaced, loadServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** How long a customer may take to confirm a payment with their bank. */
const CONFIRMATION_DEADLINE_SECONDS = 900;
const SHUTDOWN_DEADLINE_SECONDS = 180;
/** What was taken for it by then is given back by the deletion. */
const DELETED_BEFORE_READY = {
  status: 'cancelled',
  code: 'deleted_before_ready',
  message: 'The server was deleted before it was handed over; nothing is charged for it.',
} as const;

interface Params {
  readonly serverId: number;
}

type Context<Outputs = unknown> = StepContext<Params, Outputs, WorkflowDeps>;
type Held = Context<{ readonly 'hold-payment': { readonly held: boolean } }>;
type Verified = Context<{
  readonly 'agent-answers': { readonly verifiedBy: Verification };
  readonly 'power-as-asked': { readonly observed: 'running' | 'off' };
}>;

/**
 * The steps that an order of any kind has between its room and its hand-over. Room and address were taken with the
 * order; money is held before anything is made and captured only when the server has been seen to work.
 */
export const holdingPayment = {
  title: 'Holding the payment',
  do: async ({ params, deps }: Context) => {
    const order = await orderOfServer(deps.dataSource.manager, params.serverId);
    if (order.holdAmountMinor === 0) return { held: false };
    const hold = await deps.payments.hold(holdRequest(order, deps));
    if (hold.status === 'declined') throw declined(hold.code);
    return { held: true };
  },
  undo: async ({ params, deps }: Context) => {
    const order = await orderOfServer(deps.dataSource.manager, params.serverId);
    await deps.payments.release(order.id);
  },
};

export const awaitingBank = {
  title: 'Waiting for the bank',
  deadlineSeconds: CONFIRMATION_DEADLINE_SECONDS,
  everySeconds: 2,
  check: async ({ params, outputs, deps }: Held) => {
    if (!outputs['hold-payment'].held) return {};
    const order = await orderOfServer(deps.dataSource.manager, params.serverId);
    // The provider is asked each time: a webhook that was lost costs nothing.
    const hold = await deps.payments.refreshHold(order.id);
    if (hold?.status === 'authorized' || hold?.status === 'captured') return {};
    if (hold?.status === 'requires_action') return undefined;
    throw declined(hold?.failureCode ?? 'hold_expired');
  },
  noUndo: 'only looks',
};

export const startingDomain = {
  title: 'Starting it',
  do: async ({ params, deps }: Context) => {
    const { server, host } = await loadPlaced(deps.dataSource.manager, params.serverId);
    await deps.hypervisor.startDomain(host, server.domainUuid);
    return bootsNow();
  },
  commit: async (manager: EntityManager, { params }: Context) => {
    await manager.query(`UPDATE servers SET observed = 'starting' WHERE id = $1`, [params.serverId]);
  },
  undo: async ({ params, deps }: Context) => {
    const { server } = await loadServer(deps.dataSource.manager, params.serverId);
    const host = await findHost(deps.dataSource.manager, server);
    if (host) await deps.hypervisor.destroyDomain(host, server.domainUuid);
  },
};

export const undefiningDomain = async ({ params, deps }: Context) => {
  const { server } = await loadServer(deps.dataSource.manager, params.serverId);
  const host = await findHost(deps.dataSource.manager, server);
  if (host) await deps.hypervisor.undefineDomain(host, server.domainUuid);
};

export const erasingSeed = {
  title: 'Erasing its first-boot seed',
  do: async ({ params, deps }: Context) => {
    return { detachment: await eraseSeed(deps, await loadPlaced(deps.dataSource.manager, params.serverId)) };
  },
  noUndo: 'what is left of the seed goes when write-seed is undone',
};

export const openingPorts = {
  title: 'Opening its ports',
  do: async ({ params, deps }: Context) => {
    const { image, address } = await loadPlaced(deps.dataSource.manager, params.serverId);
    return { access: await publishAccess(deps.access, image, address) };
  },
  commit: async (
    manager: EntityManager,
    { params }: Context,
    { access }: { access: Awaited<ReturnType<typeof publishAccess>> },
  ) => {
    await manager.query(`UPDATE servers SET access = $2 WHERE id = $1`, [
      params.serverId,
      JSON.stringify(access),
    ]);
  },
  undo: async ({ params, deps }: Context) => {
    const address = await addressOf(deps.dataSource.manager, params.serverId);
    if (address) await withdrawAccess(deps.access, address);
  },
};

export const leavingPowerAsOrdered = {
  title: 'Leaving it as it was ordered',
  deadlineSeconds: SHUTDOWN_DEADLINE_SECONDS,
  everySeconds: 2,
  check: async ({ params, deps }: Context) => {
    const { server, host } = await loadPlaced(deps.dataSource.manager, params.serverId);
    if (server.startAfterCreate) return { observed: 'running' as const };
    if ((await deps.hypervisor.domainState(host, server.domainUuid)) === 'off')
      return { observed: 'off' as const };
    await deps.hypervisor.shutdownDomain(host, server.domainUuid);
    return undefined;
  },
  noUndo: 'the domain is stopped when start-domain is undone',
};

export const confirmingHold = {
  title: 'Checking that the payment still stands',
  do: async ({ params, outputs, deps }: Held) => {
    if (!outputs['hold-payment'].held) return {};
    const order = await orderOfServer(deps.dataSource.manager, params.serverId);
    const hold = await deps.payments.refreshHold(order.id);
    if (hold?.status === 'authorized' || hold?.status === 'captured') return {};
    throw declined(hold?.failureCode ?? 'hold_expired');
  },
  noUndo: 'only looks',
};

export const capturingPayment = {
  title: 'Taking the payment',
  do: async ({ params, outputs, deps }: Held) => {
    const order = await orderOfServer(deps.dataSource.manager, params.serverId);
    if (outputs['hold-payment'].held) await deps.payments.capture(order.id);
    return {};
  },
};

/** Billing opens in the transaction that hands the server over. */
export const handingOver = {
  title: 'Handing it over',
  transact: async (manager: EntityManager, { params, outputs, deps }: Verified) => {
    const order = await orderOfServer(manager, params.serverId);
    const server = await lockServer(manager, params.serverId);
    await settleApplicationSecrets(manager, deps, server.id);
    await forgetBootSecrets(manager, deps, server);
    if (server.desired === 'deleted') {
      await finishOrder(manager, order.id, DELETED_BEFORE_READY);
      return {};
    }
    await manager.query(
      `UPDATE servers SET ready_at = now(), observed = $2, reason = NULL, verified_by = $3,
                          host_key = CASE WHEN $3 = 'identity' THEN host_key END WHERE id = $1`,
      [server.id, outputs['power-as-asked'].observed, outputs['agent-answers'].verifiedBy],
    );
    await openBilling(manager, server.id, outputs['power-as-asked'].observed === 'running');
    await tellVolumes(manager, server);
    await finishOrder(manager, order.id, { status: 'fulfilled' });
    return {};
  },
};

/** What was done to the volumes that it has from the start stands among their actions. */
async function tellVolumes(manager: EntityManager, { id: serverId, projectId }: Server): Promise<void> {
  for (const { id: volumeId } of await volumesOfServer(manager, serverId)) {
    await recordDone(manager, { projectId, serverId, volumeId, command: 'attach_volume' });
  }
}

/**
 * The last of the undoing: the room, the address, the volumes, the secrets and the name are free again, and the order says
 * why.
 */
export async function giveUp(
  manager: EntityManager,
  { params, deps, reason }: UndoContext<Params, unknown, WorkflowDeps, unknown>,
): Promise<void> {
  const { serverId } = params;
  const order = await orderOfServer(manager, serverId);
  await release(manager, serverId);
  await deps.findings.resolve(manager, 'out_of_capacity', [outOfCapacity.server(serverId)]);
  await releaseAddress(manager, serverId);
  await releaseVolumesOf(manager, serverId);
  await deps.secrets.destroyAll(manager, serverId);
  await manager.query(
    `UPDATE servers SET deleted_at = now(), desired = 'deleted', observed = 'deleting', access = '[]', ipv4 = NULL
     WHERE id = $1`,
    [serverId],
  );
  await finishOrder(manager, order.id, {
    status: reason.code === 'undo_requested' ? 'cancelled' : 'failed',
    code: reason.code,
    message: reason.message,
  });
}

function holdRequest(order: Order, { storefrontUrl }: WorkflowDeps) {
  return {
    orderId: order.id,
    accountId: order.accountId,
    amountMinor: order.holdAmountMinor,
    currency: order.currency,
    description: `Server ${order.serverId}, first month at most`,
    returnUrl: `${storefrontUrl}/orders/${order.id}`,
  };
}
