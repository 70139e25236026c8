import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Location, ServerType } from '#libs/catalog';
import { runInTransaction } from '#libs/database';
import { Image } from '#libs/images';
import type { Currency } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import { admitToServer, requestFreeze, type Server, ServersError, ServersService } from '#libs/servers';
import { OrderPlacer, type PlacedOrder } from './order-placer.ts';
import { OrdersService } from './orders.service.ts';

/** A clone as it is asked for. */
export interface CloneRequest {
  /** Of the clone, made by `newId()`; the same one whenever the request is repeated. */
  readonly serverId: number;
  readonly projectId: number;
  readonly originalId: number;
  readonly currency: Currency;
  /** Of the clone in its project; a safe clone's system takes it as its host name. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * `exact`: as the original in all, its address too, and therefore off the network until the original is deleted.
   * Else a machine of its own, with a new identity and address, on `network`.
   */
  readonly kind: 'safe' | 'exact';
  /** For a safe clone. */
  readonly network: 'isolated' | 'open';
  /** Cron, timers and `at` rest in a safe clone until its network is opened. */
  readonly holdsTimers: boolean;
  /** False: it is switched off once it has been seen to work. */
  readonly startAfterCreate: boolean;
}

export interface StartedClone {
  readonly placed: PlacedOrder;
  /** For `SagaQueue.poke` once the transaction has committed: the freezing of the original, and the clone. */
  readonly wakeUps: readonly SagaWakeUp[];
}

/**
 * Takes orders of clones: the original's disk is frozen under it while it runs, and the clone goes on in an overlay on
 * that, so that it takes seconds however large the disk is.
 */
@Injectable()
export class CloneRequests {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(OrdersService) private readonly orders: Pick<OrdersService, 'assertMayOrder'>,
    private readonly placer: OrderPlacer,
    private readonly servers: ServersService,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  /**
   * Orders a clone; the same `serverId` again gets the order that made it.
   * @throws as `start`, and DomainError of the account's standing, limits, payment method or credit
   */
  async clone(request: CloneRequest): Promise<PlacedOrder> {
    const known = await this.placer.findPlaced({ ...request, passwordDelivery: 'reveal' });
    if (known) return known;
    const original = await this.servers.get(request.projectId, request.originalId);
    await this.orders.assertMayOrder(original.accountId);
    const item = await itemOf(this.dataSource.manager, original);
    const { placed, wakeUps } = await this.placer.explained({ ...item, name: request.name }, () =>
      runInTransaction(this.dataSource, (manager) => this.start(manager, request)),
    );
    for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    return placed;
  }

  /**
   * The same within the caller's transaction, for which `OrdersService.assertMayOrder` was asked before.
   * @throws ServersError `server_not_found`, `server_not_ready`, `server_locked`, `server_suspended`; OrdersError
   * `resource_limit_exceeded`; DomainError `resource_unavailable`, `addresses_exhausted`
   */
  async start(manager: EntityManager, request: CloneRequest): Promise<StartedClone> {
    const original = await admitToServer(manager, request.projectId, request.originalId);
    if (!original.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
    const { frozenDiskId, wakeUp: freezing } = await requestFreeze(manager, this.sagas, original);
    const { placed, wakeUp } = await this.placer.placeWithin(manager, {
      ...(await itemOf(manager, original)),
      serverId: request.serverId,
      accountId: original.accountId,
      projectId: original.projectId,
      currency: request.currency,
      name: request.name,
      labels: request.labels,
      sshPublicKeys: original.sshPublicKeys,
      startAfterCreate: request.startAfterCreate,
      passwordDelivery: 'reveal',
      copy: {
        original,
        frozenDiskId,
        freezeSagaId: freezing.sagaId,
        kind: request.kind,
        network: request.kind === 'exact' ? 'closed' : request.network,
        holdsTimers: request.holdsTimers,
      },
    });
    return { placed, wakeUps: [freezing, wakeUp] };
  }
}

async function itemOf(manager: EntityManager, { serverTypeId, imageId, locationId }: Server) {
  const serverType = await manager.getRepository(ServerType).findOneByOrFail({ id: serverTypeId });
  const image = await manager.getRepository(Image).findOneByOrFail({ id: imageId });
  const location = await manager.getRepository(Location).findOneByOrFail({ id: locationId });
  return { serverType, image, location };
}
