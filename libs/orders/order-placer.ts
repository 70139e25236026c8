import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Location, ServerType } from '#libs/catalog';
import { insertOf, isUniqueViolation, runInTransaction, runStatements, type Statement } from '#libs/database';
import { DomainError, newId } from '#libs/kernel';
import { claimAddress, inheritAddress } from '#libs/networks';
import { FindingsService, outOfCapacity, reservation, reserveWaiting } from '#libs/placement';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import {
  Action,
  cloneServerRequest,
  holdDisk,
  nameTaken,
  newAction,
  newPassword,
  provisionServerRequest,
  SecretsStore,
  Server,
} from '#libs/servers';
import { needsHold } from './ability-to-pay.ts';
import { admit } from './limits.ts';
import { Order } from './order.entity.ts';
import { demandOfOrder, newOrder, newServer } from './order-rows.ts';
import { priceOf } from './pricing.ts';
import type { ServerOrder } from './server-order.ts';

export interface PlacedOrder {
  readonly order: Order;
  readonly server: Server;
  readonly action: Action;
  /** Only for `passwordDelivery: 'answer'` without SSH keys. */
  readonly rootPassword: string | null;
}

/**
 * Takes an order in one transaction: limits, address, server, action, order, saga, and last the room on a host,
 * whose row is then locked for no longer than the commit takes. Either all of it exists or nothing does.
 */
@Injectable()
export class OrderPlacer {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly secrets: SecretsStore,
    private readonly findings: FindingsService,
  ) {}

  /**
   * @throws OrdersError `resource_limit_exceeded`; ServersError `server_name_taken`, `image_not_found`; DomainError
   * `resource_unavailable` or `addresses_exhausted`, which the operator is told of as well.
   */
  async place(request: ServerOrder): Promise<PlacedOrder> {
    const { placed, wakeUp } = await this.explained(request, () =>
      runInTransaction(this.dataSource, (manager) => this.placeWithin(manager, request)),
    );
    await this.queue.poke(wakeUp);
    return placed;
  }

  /** Runs a transaction that places an order: what it fails by is told as `place` does. */
  async explained<T>(request: Wanted, transaction: () => Promise<T>): Promise<T> {
    try {
      return await transaction();
    } catch (error) {
      if (isUniqueViolation(error, 'servers_name_in_project')) throw nameTaken(request.name);
      await this.tellOperator(request, error);
      throw error;
    }
  }

  /** The order that made a server, answered as `place` did; without the password once that has expired. */
  async findPlaced(
    request: Pick<ServerOrder, 'serverId' | 'projectId' | 'passwordDelivery'>,
  ): Promise<PlacedOrder | undefined> {
    const { serverId, projectId } = request;
    const { manager } = this.dataSource;
    const order = await manager.findOneBy(Order, { serverId, projectId });
    if (!order) return undefined;
    const server = await manager.findOneByOrFail(Server, { id: serverId });
    const action = await manager.findOneByOrFail(Action, { id: order.actionId });
    const isTold = request.passwordDelivery === 'answer';
    const password = isTold ? await this.secrets.readAnswered(manager, serverId) : undefined;
    return { order, server, action, rootPassword: password ?? null };
  }

  /** The same within the caller's transaction; see `explained`. */
  async placeWithin(
    manager: EntityManager,
    request: ServerOrder,
  ): Promise<{ placed: PlacedOrder; wakeUp: SagaWakeUp }> {
    const { serverId, projectId, location, image, copy } = request;
    // Before the account: who changes volumes locks them first, and it next.
    const volumes = await request.volumes?.claim(manager, request);
    const demand = demandOfOrder(request);
    const account = await admit(manager, request.accountId, demand);
    const address = copy?.kind === 'exact' ? undefined : await claimAddress(manager, serverId, location.id);
    const sagaId = newId();
    const server = newServer(request, address?.ip ?? null);
    const action = newAction({
      projectId,
      serverId,
      sagaId,
      command: copy ? 'clone_server' : 'create_server',
    });
    const isHeld = await needsHold(manager, account, request.accountId);
    const order = newOrder(request, priceOf(request.serverType, isHeld), {
      serverId,
      actionId: action.id,
      sagaId,
    });
    const options = { sagaId, actionId: action.id, subject: { type: 'server', id: serverId } };
    const saga = copy
      ? this.sagas.newSaga(cloneServerRequest, { serverId, freezeSagaId: copy.freezeSagaId }, options)
      : this.sagas.newSaga(
          provisionServerRequest,
          { serverId, automount: request.volumes?.automount ?? false },
          options,
        );
    const { rootPassword, inserts } = this.newSecrets(server, request);
    const placement = {
      ...{ ...demand, serverId, locationId: location.id, imageId: image.id },
      ...(copy && { besideHostId: copy.original.hostId }),
      ...(volumes && { along: volumes.disks }),
    };
    if (!copy) await holdDisk(manager, image);
    const results = await runStatements(manager, [
      insertOf(manager, Server, server),
      ...(volumes?.statements ?? []),
      ...inserts,
      insertOf(manager, Action, action),
      insertOf(manager, Order, order),
      saga.insert,
      ...reservation(placement),
    ]);
    if (results.at(-1)?.length === 0) await reserveWaiting(manager, placement);
    if (copy?.kind === 'exact') await inheritAddress(manager, serverId, copy.original.id);
    return { placed: { order, server, action, rootPassword }, wakeUp: saga.wakeUp };
  }

  private newSecrets(
    { id, credentialKind }: Server,
    { userData, passwordDelivery, copy }: ServerOrder,
  ): { rootPassword: string | null; inserts: Statement[] } {
    const inserts = userData ? [this.secrets.keeping(id, 'user_data', userData)] : [];
    if (copy || credentialKind !== 'password') return { rootPassword: null, inserts };
    const password = newPassword();
    inserts.push(...this.secrets.keepingOrdered(id, password, passwordDelivery));
    return { rootPassword: passwordDelivery === 'answer' ? password : null, inserts };
  }

  private async tellOperator(request: Wanted, error: unknown): Promise<void> {
    if (!(error instanceof DomainError) || error.kind !== 'unavailable') return;
    await this.findings.report({
      kind: 'out_of_capacity',
      hostId: null,
      subject: outOfCapacity.orders(request.serverType.name, request.location.name),
      details: { code: error.code, message: error.message, ...error.details },
    });
  }
}

/** What an order is for, in words. */
type Wanted = Pick<ServerOrder, 'name'> & {
  readonly serverType: Pick<ServerType, 'name'>;
  readonly location: Pick<Location, 'name'>;
};
