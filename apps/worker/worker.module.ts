import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule, PinoLogger } from 'nestjs-pino';
import type { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { catalogEntities } from '#libs/catalog';
import { configModule, type Environment, secretKeys } from '#libs/config';
import { consolesModule } from '#libs/consoles';
import { DatabaseModule, loggedError } from '#libs/database';
import { ExportStore, exportsEntities, exportsModule } from '#libs/exports';
import { LostHosts } from '#libs/fleet';
import { GUEST_REACH, type GuestReach, HYPERVISOR, type Hypervisor } from '#libs/hypervisor';
import { HypervisorModule } from '#libs/hypervisor/drivers';
import { imagesEntities } from '#libs/images';
import {
  IMPORT_SETTINGS,
  type ImportSettings,
  ImportStore,
  importsModule,
  sandboxedTools,
} from '#libs/imports';
import { isosEntities } from '#libs/isos';
import { ACCESS_PUBLISHER, type AccessPublisher, accessModule } from '#libs/networks';
import { ordersEntities } from '#libs/orders';
import { PaymentsModule, PaymentsService } from '#libs/payments';
import { isEmulated, StripeProvider, stripeOptions } from '#libs/payments/stripe';
import { FindingsService, PlacementModule, placementEntities } from '#libs/placement';
import { QueueModule } from '#libs/queue';
import { recipesEntities } from '#libs/recipes';
import { RehearsalsModule, rehearsalsEntities, ScriptVault } from '#libs/rehearsals';
import { SagaStoreModule } from '#libs/saga';
import { SagaModule, type SagasToRun, sagaMetrics } from '#libs/saga/runner';
import { EnvelopeCipher, secretsModule } from '#libs/secrets';
import { ActionProgress, SecretsStore, ServersModule, serversEntities } from '#libs/servers';
import { VolumeSuspensionsModule, volumesEntities } from '#libs/volumes';
import { type CollectingDeps, orderPayments, type RecipeDeps, workflows } from '#libs/workflows';
import { Books } from './books.ts';
import { COLLECTING, CollectingModule } from './collecting.module.ts';
import { ConsoleGateway } from './consoles/console-gateway.ts';
import { CONSOLE_LIMITS, consoleLimits } from './consoles/console-limits.ts';
import { MachineConsoles } from './consoles/machine-consoles.ts';
import { COOKING, cookingModule } from './cooking/cooking.module.ts';
import { Dunning } from './dunning.ts';
import { ImageSpreading } from './image-spreading.ts';
import { IsoSpreading } from './iso-spreading.ts';
import { Mails } from './mails.ts';
import { HealthController } from './observability/health.controller.ts';
import { MetricsController } from './observability/metrics.controller.ts';
import { REGISTRY, registryModule } from './observability/registry.ts';
import { Pruning } from './pruning.ts';
import { Reconciler } from './reconciler/reconciler.ts';
import { Sampling } from './sampling.ts';
import { Schedules } from './schedules.ts';
import { Spreading } from './spreading.ts';
import { timetable } from './timetable.ts';

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

/** Services come up by then, also under emulation. */
const REHEARSAL_CHECKS_SECONDS = 120;

/** All of the worker: it runs the sagas, keeps database and hosts alike, and repairs what webhooks lost. */
export function workerModule(environment: Environment, installationId: string): DynamicModule {
  return {
    module: WorkerModule,
    imports: [
      configModule(environment),
      LoggerModule.forRoot({
        pinoHttp: { level: environment.LOG_LEVEL, autoLogging: false, serializers: { err: loggedError } },
      }),
      DatabaseModule.forRoot({
        url: environment.DATABASE_URL,
        applicationName: 'servery-worker',
        poolSize: environment.SERVERY_WORKER_CONCURRENCY + 8,
        entities,
      }),
      QueueModule.forRoot({ url: environment.REDIS_URL }),
      secretsModule(secretKeys(environment)),
      consolesModule(environment.SERVERY_SECRET_KEY),
      exportsModule(environment),
      importsModule(environment),
      registryModule,
      HypervisorModule.forRoot({
        installationId,
        isolatedAllows: environment.SERVERY_ISOLATED_NETWORK_ALLOWS,
        guestProxy: environment.SERVERY_GUEST_PROXY,
        simulatedFolder: environment.SERVERY_SIMULATED_FLEET_DIR,
      }),
      accessModule(environment.SERVERY_RELAY_SOCKET),
      orderPayments(new StripeProvider(stripeOptions(environment)), isEmulated(environment)),
      PaymentsModule,
      PlacementModule,
      cookingModule(environment),
      CollectingModule,
      { module: SagaStoreModule, global: true },
      RehearsalsModule,
      ServersModule,
      VolumeSuspensionsModule,
      sagas(environment),
    ],
    controllers: [HealthController, MetricsController],
    providers: [
      Books,
      ConsoleGateway,
      { provide: CONSOLE_LIMITS, useValue: consoleLimits },
      Dunning,
      ImageSpreading,
      IsoSpreading,
      Spreading,
      LostHosts,
      MachineConsoles,
      Mails,
      Pruning,
      Reconciler,
      Sampling,
      Schedules,
      timetable,
    ],
  };
}

function sagas(environment: Environment): DynamicModule {
  return SagaModule.forRoot({
    imports: [
      CollectingModule,
      PaymentsModule,
      PlacementModule,
      RehearsalsModule,
      ServersModule,
      cookingModule(environment),
      exportsModule(environment),
      importsModule(environment),
    ],
    inject: [
      DataSource,
      HYPERVISOR,
      GUEST_REACH,
      ACCESS_PUBLISHER,
      PaymentsService,
      SecretsStore,
      FindingsService,
      COLLECTING,
      ExportStore,
      ImportStore,
      IMPORT_SETTINGS,
      EnvelopeCipher,
      COOKING,
      ScriptVault,
      REGISTRY,
      PinoLogger,
    ],
    useFactory: (
      dataSource: DataSource,
      hypervisor: Hypervisor,
      reach: GuestReach,
      access: AccessPublisher,
      payments: PaymentsService,
      secrets: SecretsStore,
      findings: FindingsService,
      collecting: CollectingDeps,
      store: ExportStore,
      importStore: ImportStore,
      importSettings: ImportSettings,
      cipher: EnvelopeCipher,
      recipes: RecipeDeps,
      scripts: ScriptVault,
      registry: Registry,
      { logger }: PinoLogger,
    ): SagasToRun => ({
      sagas: workflows({
        dataSource,
        hypervisor,
        reach,
        access,
        payments,
        secrets,
        findings,
        collecting,
        exports: { store, keepDays: environment.SERVERY_EXPORT_KEEP_DAYS },
        imports: {
          store: importStore,
          cipher,
          tools: sandboxedTools,
          settings: importSettings,
        },
        recipes,
        rehearsals: { scripts, checksSeconds: REHEARSAL_CHECKS_SECONDS },
        storefrontUrl: environment.SERVERY_URL,
      }),
      observers: [new ActionProgress(), sagaMetrics(registry, dataSource)],
      log: logger,
      concurrency: environment.SERVERY_WORKER_CONCURRENCY,
      leaseSeconds: environment.SERVERY_LEASE_SECONDS,
    }),
  });
}

@Module({})
class WorkerModule {}
