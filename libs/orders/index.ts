export { type CloneRequest, CloneRequests, type StartedClone } from './clone-requests.ts';
export { ImageChanges } from './image-changes.ts';
export { type AccountUsage, accountUsage } from './limits.ts';
export { Order, type OrderStatus } from './order.entity.ts';
export type { ItemRequest } from './order-items.ts';
export { OrderPlacer, type PlacedOrder } from './order-placer.ts';
export { OrdersError, type OrdersErrorCode } from './orders.errors.ts';
export { OrdersModule, ordersEntities } from './orders.module.ts';
export {
  finishOrder,
  type OrderRequest,
  OrdersService,
  orderOfServer,
  sagaOfOrder,
} from './orders.service.ts';
export { type Quote, type QuoteProblem, QuotesService } from './quotes.service.ts';
export type { ClaimedVolumes, OrderedVolumes, ServerOrder } from './server-order.ts';
export { type TypeChange, TypeChanges } from './type-changes.ts';
