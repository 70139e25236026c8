import { type DynamicModule, Module, StandardSchemaSerializerInterceptor } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { LoggerModule } from 'nestjs-pino';
import { AccountsModule, accountsEntities } from '#libs/accounts';
import { CatalogModule, catalogEntities } from '#libs/catalog';
import { configModule, type Environment, secretKeys } from '#libs/config';
import { consolesModule } from '#libs/consoles';
import { DatabaseModule } from '#libs/database';
import { DunningModule } from '#libs/dunning';
import { exportsEntities, exportsModule } from '#libs/exports';
import { ImagesModule, imagesEntities } from '#libs/images';
import { importsModule } from '#libs/imports';
import { IsosModule, isosEntities } from '#libs/isos';
import { ServerMetricsModule } from '#libs/metrics';
import { OrdersModule, ordersEntities } from '#libs/orders';
import { PaymentsModule } from '#libs/payments';
import { isEmulated, StripeProvider, stripeOptions } from '#libs/payments/stripe';
import { PlacementModule, placementEntities } from '#libs/placement';
import { QueueModule } from '#libs/queue';
import { recipesEntities, recipesModule } from '#libs/recipes';
import { RehearsalRequestsModule, RehearsalsModule, rehearsalsEntities } from '#libs/rehearsals';
import { SagaStoreModule } from '#libs/saga';
import { secretsModule } from '#libs/secrets';
import { ServersModule, serversEntities } from '#libs/servers';
import { VolumesModule, volumesEntities } from '#libs/volumes';
import { orderPayments } from '#libs/workflows';
import { AccountPresenter } from './accounts/account.presenter.ts';
import { AccountsController } from './accounts/accounts.controller.ts';
import { MailedLinksController } from './accounts/mailed-links.controller.ts';
import { ActionPresenter } from './actions/action.presenter.ts';
import { ActionsController } from './actions/actions.controller.ts';
import { ApiTokensController } from './api-tokens/api-tokens.controller.ts';
import { AuditInterceptor } from './audit/audit.interceptor.ts';
import { AccessGuard } from './auth/access.guard.ts';
import { ApiTokenStrategy } from './auth/api-token.strategy.ts';
import { AuthenticationGuard } from './auth/authentication.guard.ts';
import { CsrfGuard } from './auth/csrf.guard.ts';
import { PasswordStrategy } from './auth/password.strategy.ts';
import { SessionStrategy } from './auth/session.strategy.ts';
import { BillingController } from './billing/billing.controller.ts';
import { InvoicesController } from './billing/invoices.controller.ts';
import { LimitsController } from './billing/limits.controller.ts';
import { TopUpsController } from './billing/top-ups.controller.ts';
import { BookedInvoicesController } from './books/booked-invoices.controller.ts';
import { CustomersController } from './books/customers.controller.ts';
import { LedgerController } from './books/ledger.controller.ts';
import { PricesController } from './books/prices.controller.ts';
import { PromotionsController } from './books/promotions.controller.ts';
import { CatalogController } from './catalog/catalog.controller.ts';
import { CatalogPresenter } from './catalog/catalog.presenter.ts';
import { ImageContentsController } from './catalog/image-contents.controller.ts';
import { ImagesController } from './catalog/images.controller.ts';
import { LocationsController } from './catalog/locations.controller.ts';
import { ProductContentsController } from './catalog/product-contents.controller.ts';
import { ServerTypesController } from './catalog/server-types.controller.ts';
import { ConsoleRelay } from './consoles/console-relay.ts';
import { ConsolesController } from './consoles/consoles.controller.ts';
import { ExportPresenter } from './exports/export.presenter.ts';
import { ExportDownloadsController } from './exports/export-downloads.controller.ts';
import { ExportsController } from './exports/exports.controller.ts';
import { ErrorFilter } from './http/error.filter.ts';
import { RouteTable } from './http/route-table.ts';
import { ValidationPipe } from './http/validation.pipe.ts';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.ts';
import { IdempotencyStore } from './idempotency/idempotency.store.ts';
import { IsosController } from './isos/isos.controller.ts';
import { HealthController } from './observability/health.controller.ts';
import { HttpMetrics } from './observability/http-metrics.ts';
import { loggingParams } from './observability/logging.ts';
import { MetricsController } from './observability/metrics.controller.ts';
import { DocsController } from './openapi/docs.controller.ts';
import { AccountSuspensionsController } from './operator/account-suspensions.controller.ts';
import { HostPresenter } from './operator/host.presenter.ts';
import { HostsController } from './operator/hosts.controller.ts';
import { SagasController } from './operator/sagas.controller.ts';
import { OrderPresenter } from './orders/order.presenter.ts';
import { OrdersController } from './orders/orders.controller.ts';
import { PaymentMethodsController } from './payments/payment-methods.controller.ts';
import { WebhooksController } from './payments/webhooks.controller.ts';
import { ProjectsController } from './projects/projects.controller.ts';
import { API_LIMIT, apiLimit } from './rate-limit/limits.ts';
import { RateLimitGuard } from './rate-limit/rate-limit.guard.ts';
import { SignInLimits } from './rate-limit/sign-in-limits.ts';
import { ComponentsController } from './recipes/components.controller.ts';
import { CooksController } from './recipes/cooks.controller.ts';
import { RecipesController } from './recipes/recipes.controller.ts';
import { UpgradesController } from './recipes/upgrades.controller.ts';
import { RehearsalsController } from './rehearsals/rehearsals.controller.ts';
import { ServerPresenter } from './servers/server.presenter.ts';
import { ServerActionsController } from './servers/server-actions.controller.ts';
import { ServerBootController } from './servers/server-boot.controller.ts';
import { ServerChangesController } from './servers/server-changes.controller.ts';
import { ServerImagesController } from './servers/server-images.controller.ts';
import { ServerMetricsController } from './servers/server-metrics.controller.ts';
import { ServersController } from './servers/servers.controller.ts';
import { SshKeysController } from './ssh-keys/ssh-keys.controller.ts';
import { FormInterceptor } from './uploads/form.interceptor.ts';
import { ImageImportsController } from './uploads/image-imports.controller.ts';
import { ResumableUploads } from './uploads/resumable-uploads.ts';
import { UploadsController } from './uploads/uploads.controller.ts';
import { VolumePresenter } from './volumes/volume.presenter.ts';
import { VolumeActionsController } from './volumes/volume-actions.controller.ts';
import { VolumesController } from './volumes/volumes.controller.ts';

const entities = [
  ...accountsEntities,
  ...catalogEntities,
  ...exportsEntities,
  ...imagesEntities,
  ...isosEntities,
  ...ordersEntities,
  ...placementEntities,
  ...recipesEntities,
  ...rehearsalsEntities,
  ...serversEntities,
  ...volumesEntities,
];

/** Fixed paths stand before those with a placeholder in their place. */
const controllers = [
  AccountSuspensionsController,
  ActionsController,
  BillingController,
  BookedInvoicesController,
  CatalogController,
  ComponentsController,
  ConsolesController,
  CooksController,
  CustomersController,
  ExportDownloadsController,
  ExportsController,
  HostsController,
  ImageContentsController,
  ImageImportsController,
  ImagesController,
  InvoicesController,
  IsosController,
  LedgerController,
  LimitsController,
  LocationsController,
  MetricsController,
  OrdersController,
  PaymentMethodsController,
  PricesController,
  ProductContentsController,
  PromotionsController,
  RecipesController,
  RehearsalsController,
  SagasController,
  ServerActionsController,
  ServerBootController,
  ServerChangesController,
  ServerImagesController,
  ServerMetricsController,
  ServersController,
  ServerTypesController,
  TopUpsController,
  UpgradesController,
  UploadsController,
  VolumeActionsController,
  VolumesController,
  WebhooksController,
  AccountsController,
  ApiTokensController,
  DocsController,
  HealthController,
  MailedLinksController,
  ProjectsController,
  SshKeysController,
];

/** In the order in which they look at a request. */
const guards = [CsrfGuard, AuthenticationGuard, RateLimitGuard, AccessGuard];

/** The one around the others comes first: a form is taken in before it is compared, an answer kept as it was serialized. */
const interceptors = [
  FormInterceptor,
  IdempotencyInterceptor,
  AuditInterceptor,
  StandardSchemaSerializerInterceptor,
];

interface AppOptions {
  readonly environment: Environment;
  readonly metrics: HttpMetrics;
  readonly routes: RouteTable;
}

/** All of the API. */
export function appModule({ environment, metrics, routes }: AppOptions): DynamicModule {
  return {
    module: AppModule,
    imports: [
      configModule(environment),
      LoggerModule.forRoot(loggingParams(environment)),
      DatabaseModule.forRoot({
        url: environment.DATABASE_URL,
        applicationName: 'servery-api',
        poolSize: 20,
        entities,
      }),
      QueueModule.forRoot({ url: environment.REDIS_URL }),
      secretsModule(secretKeys(environment)),
      AccountsModule,
      CatalogModule,
      consolesModule(environment.SERVERY_SECRET_KEY),
      DunningModule,
      exportsModule(environment),
      ImagesModule,
      importsModule(environment),
      IsosModule,
      OrdersModule,
      PaymentsModule,
      orderPayments(new StripeProvider(stripeOptions(environment)), isEmulated(environment)),
      PlacementModule,
      recipesModule(environment),
      RehearsalRequestsModule,
      RehearsalsModule,
      ServerMetricsModule,
      ServersModule,
      VolumesModule,
      { module: SagaStoreModule, global: true },
    ],
    controllers,
    providers: [
      AccountPresenter,
      ActionPresenter,
      CatalogPresenter,
      ConsoleRelay,
      ExportPresenter,
      HostPresenter,
      OrderPresenter,
      ServerPresenter,
      VolumePresenter,
      ApiTokenStrategy,
      IdempotencyStore,
      PasswordStrategy,
      SessionStrategy,
      SignInLimits,
      ResumableUploads,
      { provide: HttpMetrics, useValue: metrics },
      { provide: RouteTable, useValue: routes },
      { provide: API_LIMIT, useValue: apiLimit },
      { provide: APP_FILTER, useClass: ErrorFilter },
      { provide: APP_PIPE, useClass: ValidationPipe },
      ...guards.map((useClass) => ({ provide: APP_GUARD, useClass })),
      ...interceptors.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass })),
    ],
  };
}

@Module({})
class AppModule {}
