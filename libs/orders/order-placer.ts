import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AccountsService } from '#libs/accounts';
import { demandOf } from '#libs/catalog';
import { isUniqueViolation, runInTransaction } from '#libs/database';
import { type Currency, DomainError, newId, newUuid } from '#libs/kernel';
import { claimAddress } from '#libs/networks';
import { FindingsService, reserve } from '#libs/placement';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import {
  type Action,
  insertAction,
  nameTaken,
  newPassword,
  type PasswordDelivery,
  provisionServerRequest,
  SecretsStore,
  Server,
  storePassword,
} from '#libs/servers';
import { accountUsage, assertWithinLimits } from './limits.ts';
import { Order } from './order.entity.ts';
import type { Item } from './order-items.ts';
import { type OrderPrice, priceOf } from './pricing.ts';

/** A server as it is ordered; everything it names has been resolved. */
export interface ServerOrder extends Item {
  readonly accountId: number;
  readonly projectId: number;
  readonly currency: Currency;
  readonly name: string;
  readonly sshPublicKeys: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly userData?: string;
  readonly startAfterCreate: boolean;
  readonly passwordDelivery: PasswordDelivery;
}

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
    private readonly accounts: AccountsService,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly secrets: SecretsStore,
    private readonly findings: FindingsService,
  ) {}

  /**
   * @throws OrdersError `resource_limit_exceeded`; ServersError `server_name_taken`; DomainError
   * `resource_unavailable` or `addresses_exhausted`, which the operator is told of as well.
   */
  async place(request: ServerOrder): Promise<PlacedOrder> {
    try {
      const { placed, wakeUp } = await runInTransaction(this.dataSource, (manager) =>
        this.placeWithin(manager, request),
      );
      await this.queue.poke(wakeUp);
      return placed;
    } catch (error) {
      if (isUniqueViolation(error, 'servers_name_in_project')) throw nameTaken(request.name);
      await this.tellOperator(request, error);
      throw error;
    }
  }

  private async placeWithin(
    manager: EntityManager,
    request: ServerOrder,
  ): Promise<{ placed: PlacedOrder; wakeUp: SagaWakeUp }> {
    const account = await this.accounts.lock(manager, request.accountId);
    const demand = demandOf(request.serverType);
    assertWithinLimits(account, await accountUsage(manager, request.accountId), demand);

    const id = newId();
    const { ip: ipv4 } = await claimAddress(manager, id, request.location.id);
    const server = await insertServer(manager, request, { id, ipv4 });
    const rootPassword = await this.storeSecrets(manager, server, request);
    const sagaId = newId();
    const action = await insertAction(manager, {
      projectId: request.projectId,
      serverId: server.id,
      sagaId,
      command: 'create_server',
    });
    const order = await insertOrder(manager, request, priceOf(request.serverType, account), {
      serverId: server.id,
      actionId: action.id,
      sagaId,
    });
    const wakeUp = await this.sagas.start(
      manager,
      provisionServerRequest,
      { serverId: server.id },
      { sagaId, actionId: action.id, subject: { type: 'server', id: server.id } },
    );
    const { location, image } = request;
    await reserve(manager, { ...demand, serverId: server.id, locationId: location.id, imageId: image.id });
    return { placed: { order, server, action, rootPassword }, wakeUp };
  }

  private async storeSecrets(
    manager: EntityManager,
    server: Server,
    request: ServerOrder,
  ): Promise<string | null> {
    if (request.userData) await this.secrets.put(manager, server.id, 'user_data', request.userData);
    if (server.credentialKind === 'ssh_key') return null;
    const password = newPassword();
    await storePassword(manager, this.secrets, server.id, password, request.passwordDelivery);
    return request.passwordDelivery === 'answer' ? password : null;
  }

  private async tellOperator(request: ServerOrder, error: unknown): Promise<void> {
    if (!(error instanceof DomainError) || error.kind !== 'unavailable') return;
    await this.findings.report({
      kind: 'out_of_capacity',
      hostId: null,
      subject: `${request.serverType.name} in ${request.location.name}`,
      details: { code: error.code, message: error.message, ...error.details },
    });
  }
}

async function insertServer(
  manager: EntityManager,
  request: ServerOrder,
  own: Pick<Server, 'id' | 'ipv4'>,
): Promise<Server> {
  const repository = manager.getRepository(Server);
  const server = repository.create({
    ...own,
    accountId: request.accountId,
    projectId: request.projectId,
    name: request.name,
    domainUuid: newUuid(),
    serverTypeId: request.serverType.id,
    imageId: request.image.id,
    locationId: request.location.id,
    hostId: null,
    desired: request.startAfterCreate ? 'running' : 'off',
    observed: 'initializing',
    reason: null,
    labels: { ...request.labels },
    sshPublicKeys: [...request.sshPublicKeys],
    credentialKind: request.sshPublicKeys.length > 0 ? 'ssh_key' : 'password',
    startAfterCreate: request.startAfterCreate,
    hostKey: null,
    access: [],
    generation: 1,
    createdAt: new Date(),
    readyAt: null,
    deletedAt: null,
  });
  await repository.insert(server);
  return server;
}

async function insertOrder(
  manager: EntityManager,
  request: ServerOrder,
  price: OrderPrice,
  ids: Pick<Order, 'serverId' | 'actionId' | 'sagaId'>,
): Promise<Order> {
  const repository = manager.getRepository(Order);
  const order = repository.create({
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
  });
  await repository.insert(order);
  return order;
}
