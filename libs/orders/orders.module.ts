import { Module } from '@nestjs/common';
import { AccountsModule } from '#libs/accounts';
import { CatalogModule } from '#libs/catalog';
import { ImagesModule } from '#libs/images';
import { PaymentsModule } from '#libs/payments';
import { PlacementModule } from '#libs/placement';
import { ServersModule } from '#libs/servers';
import { CloneRequests } from './clone-requests.ts';
import { ImageChanges } from './image-changes.ts';
import { Order } from './order.entity.ts';
import { OrderItems } from './order-items.ts';
import { OrderPlacer } from './order-placer.ts';
import { OrdersService } from './orders.service.ts';
import { QuotesService } from './quotes.service.ts';
import { TypeChanges } from './type-changes.ts';

/** Tables of this feature, for the app's data source. */
export const ordersEntities = [Order];

/** Needs `SagaStore` and `SagaQueue`, which the app provides globally. */
@Module({
  imports: [AccountsModule, CatalogModule, ImagesModule, PaymentsModule, PlacementModule, ServersModule],
  providers: [
    CloneRequests,
    ImageChanges,
    OrderItems,
    OrderPlacer,
    OrdersService,
    QuotesService,
    TypeChanges,
  ],
  exports: [CloneRequests, ImageChanges, OrdersService, QuotesService, TypeChanges],
})
export class OrdersModule {}
