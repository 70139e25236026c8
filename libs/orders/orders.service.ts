import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { EmailConfirmations } from '#libs/accounts';
import { assertBelowSpendingLimit, monthlyPrices } from '#libs/billing';
import type { Clock } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { MONEY_CLOCK, PaymentsService } from '#libs/payments';
import { assertCanPay } from './ability-to-pay.ts';
import { assertGoodStanding } from './good-standing.ts';
import { Order } from './order.entity.ts';
import { type ItemRequest, OrderItems } from './order-items.ts';
import { OrderPlacer, type PlacedOrder } from './order-placer.ts';
import { OrdersError } from './orders.errors.ts';
import type { ServerOrder } from './server-order.ts';

/** An order as a client asks for it. Keys are ids or names of the project's SSH keys. */
export type OrderRequest = Omit<ServerOrder, 'serverType' | 'image' | 'location' | 'sshPublicKeys'> &
  ItemRequest & { readonly sshKeys: readonly (number | string)[] };

/** Takes orders and tells how they stand. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly items: OrderItems,
    private readonly placer: OrderPlacer,
    private readonly payments: PaymentsService,
    private readonly confirmations: EmailConfirmations,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Orders a server; the same `serverId` again gets the order that made it, whatever has become of the catalog, the
   * limits or the card since then.
   * @throws DomainError of the catalog, the limits, the payment method or credit, or for want of room; then nothing has
   * happened.
   */
  async placeServer(request: OrderRequest): Promise<PlacedOrder> {
    return (await this.placer.findPlaced(request)) ?? this.placeNew(request);
  }

  private async placeNew(request: OrderRequest): Promise<PlacedOrder> {
    const { serverType, image, sshKeys, ...rest } = request;
    const location = request.location ?? (await request.volumes?.locationId(this.dataSource.manager));
    const item = await this.items.resolve({
      projectId: request.projectId,
      serverType,
      image,
      ...(location === undefined ? {} : { location }),
    });
    const sshPublicKeys = await this.items.publicKeys(request.projectId, sshKeys);
    await this.assertMayOrder(request.accountId);
    return this.placer.place({ ...rest, ...item, sshPublicKeys });
  }

  /**
   * Whether an account may have anything new that costs.
   * @throws DomainError of the account's standing, its own limit, the payment method or credit
   */
  async assertMayOrder(accountId: number): Promise<void> {
    const [{ manager }, at] = [this.dataSource, this.clock.now()];
    await this.confirmations.assertMayOrder(accountId);
    await assertGoodStanding(manager, accountId);
    await assertBelowSpendingLimit(manager, accountId, at);
    await assertCanPay(manager, this.payments, { accountId, at });
  }

  /** Whether an account may keep one more: where that costs, only who may order. @throws as `assertMayOrder` */
  async assertMayKeep(accountId: number, kind: 'snapshot' | 'backup'): Promise<void> {
    const prices = await monthlyPrices(this.dataSource.manager, [`${kind}/gib`]);
    if (Object.values(prices).some((price) => price > 0)) await this.assertMayOrder(accountId);
  }

  /** Filters: id, status. Sorts: id, created. */
  list(projectId: number, query: ListQuery = firstPage): Promise<Page<Order>> {
    const builder = this.dataSource
      .getRepository(Order)
      .createQueryBuilder('order')
      .where('order.projectId = :projectId', { projectId });
    return pageOf(builder, query, {
      id: 'order.id',
      filters: { id: 'order.id', status: 'order.status' },
      sorts: { id: 'order.id', created: 'order.createdAt' },
    });
  }

  /** @throws OrdersError `order_not_found`, also when it is another project's */
  async get(projectId: number, id: number): Promise<Order> {
    const order = await this.dataSource.getRepository(Order).findOneBy({ id, projectId });
    if (!order) throw new OrdersError('order_not_found', `there is no order ${id}`);
    return order;
  }
}

/** The order that made a server. */
export async function orderOfServer(manager: EntityManager, serverId: number): Promise<Order> {
  const order = await manager.getRepository(Order).findOneBy({ serverId });
  if (!order) throw new OrdersError('order_not_found', `no order made server ${serverId}`);
  return order;
}

/** The saga that serves an order, if there is such an order. */
export async function sagaOfOrder(manager: EntityManager, orderId: number): Promise<number | undefined> {
  return (await manager.getRepository(Order).findOneBy({ id: orderId }))?.sagaId;
}

/** Ends an order within the caller's transaction; one that has ended stays as it is. */
export async function finishOrder(
  manager: EntityManager,
  orderId: number,
  end: { status: 'fulfilled' } | { status: 'failed' | 'cancelled'; code: string; message: string },
): Promise<void> {
  const [code, message] = end.status === 'fulfilled' ? [null, null] : [end.code, end.message];
  await manager.query(
    `UPDATE orders SET status = $2, failure_code = $3, failure_message = $4, finished_at = now()
     WHERE id = $1 AND status = 'placed'`,
    [orderId, end.status, code, message],
  );
}
