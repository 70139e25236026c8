import { demandOf } from '#libs/catalog';
import { newId, newUuid } from '#libs/kernel';
import type { Demand } from '#libs/placement';
import { credentialKindOf, type Server } from '#libs/servers';
import type { Order } from './order.entity.ts';
import type { OrderPrice } from './pricing.ts';
import type { ServerOrder } from './server-order.ts';

/** A copy's disk is as large as that of its original. */
export function demandOfOrder({ serverType, copy }: ServerOrder): Demand {
  const demand = demandOf(serverType);
  return copy ? { ...demand, diskGib: copy.original.diskGib } : demand;
}

/** The row of an ordered server. */
export function newServer(request: ServerOrder, ipv4: string | null): Server {
  const { copy } = request;
  return {
    id: request.serverId,
    accountId: request.accountId,
    projectId: request.projectId,
    name: request.name,
    domainUuid: newUuid(),
    serverTypeId: request.serverType.id,
    diskGib: demandOfOrder(request).diskGib,
    imageId: request.image.id,
    upgradedTo: copy?.original.upgradedTo ?? null,
    locationId: request.location.id,
    hostId: null,
    ipv4,
    desired: request.startAfterCreate ? 'running' : 'off',
    observed: 'initializing',
    reason: null,
    labels: { ...request.labels },
    sshPublicKeys: [...request.sshPublicKeys],
    credentialKind: copy?.original.credentialKind ?? credentialKindOf(request.sshPublicKeys, request.image),
    startAfterCreate: request.startAfterCreate,
    hostKey: copy?.kind === 'exact' ? copy.original.hostKey : null,
    access: [],
    devices: copy?.original.devices ?? request.image.devices,
    verifiedBy: null,
    generation: 1,
    standsOn: copy ? null : request.image.frozenDiskId,
    network: copy?.network ?? 'open',
    holdsTimers: copy?.kind === 'exact' ? copy.original.holdsTimers : (copy?.holdsTimers ?? false),
    clonedFrom: copy?.original.id ?? null,
    cloneKind: copy?.kind ?? null,
    copiedDiskId: copy?.frozenDiskId ?? null,
    isDeleteProtected: false,
    isRebuildProtected: false,
    isoId: null,
    createdAt: new Date(),
    readyAt: null,
    deletedAt: null,
  };
}

/** The row of an order. */
export function newOrder(
  request: ServerOrder,
  price: OrderPrice,
  ids: Pick<Order, 'serverId' | 'actionId' | 'sagaId'>,
): Order {
  return {
    id: newId(),
    accountId: request.accountId,
    projectId: request.projectId,
    status: 'placed',
    currency: request.currency,
    failureCode: null,
    failureMessage: null,
    createdAt: new Date(),
    finishedAt: null,
    ...price,
    ...ids,
  };
}
