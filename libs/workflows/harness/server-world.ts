import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { catalogEntities } from '#libs/catalog';
import { createDataSource } from '#libs/database';
import { ExportRequests, ExportStore, exportsEntities } from '#libs/exports';
import { RoutingGuestReach, RoutingHypervisor } from '#libs/hypervisor/drivers';
import { SimulatedFleet, SimulatedGuestReach, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { ImagesService, imagesEntities } from '#libs/images';
import { IsoCommands, isosEntities } from '#libs/isos';
import { systemClock } from '#libs/kernel';
import type { AccessPublisher } from '#libs/networks';
import { CloneRequests, OrderPlacer, ordersEntities, TypeChanges } from '#libs/orders';
import type { PaymentProvider, ProviderEvents } from '#libs/payments';
import { connectPayments, startPayments } from '#libs/payments/harness';
import { FindingsService, installationId, placementEntities } from '#libs/placement';
import type { SagaQueue } from '#libs/queue';
import { CookRequests, recipesEntities } from '#libs/recipes';
import { RehearsalRequests, rehearsalsEntities, ScriptVault } from '#libs/rehearsals';
import { SagaStore } from '#libs/saga';
import type { SagaWorld, WorldAddress } from '#libs/saga/harness';
import { EnvelopeCipher } from '#libs/secrets';
import {
  ActionProgress,
  RescueCommands,
  SecretsStore,
  ServerCommands,
  ServersService,
  serversEntities,
} from '#libs/servers';
import { VolumeCommands, volumesEntities } from '#libs/volumes';
import { createTestDatabase } from '../../../test/support/postgres.ts';
import { workflows } from '../index.ts';
import { moneyListener } from '../order-payments.listener.ts';
import type { WorkflowDeps } from '../workflow-deps.ts';
import { importsFolder, importsIn } from './imports-world.ts';
import { kitchenFolder, recipesIn } from './recipes-world.ts';
import { stock } from './stock.ts';

/** All that the workflows touch: PostgreSQL, a fleet in a folder, published ports, Stripe's emulator. */
export interface ServerWorld extends SagaWorld {
  readonly deps: WorkflowDeps;
  readonly fleet: SimulatedFleet;
  readonly store: SagaStore;
  readonly placer: OrderPlacer;
  readonly clones: CloneRequests;
  readonly types: TypeChanges;
  readonly commands: ServerCommands;
  readonly rescues: RescueCommands;
  readonly isos: IsoCommands;
  readonly exports: ExportRequests;
  readonly cooks: CookRequests;
  readonly rehearsals: RehearsalRequests;
  readonly volumes: VolumeCommands;
  readonly events: ProviderEvents;
  readonly emulatorUrl: string;
}

const LOOPBACK = '127.0.0.1';
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

/** What this process started for a world, by the world's database. */
const started = new Map<string, () => Promise<void>>();

/** A stocked marketplace with a customer whose card is on file; `card` is one of Stripe's test numbers. */
export async function createServerWorld(card = '4242424242424242'): Promise<WorldAddress> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'servery-harness-'));
  const dataSource = await createDataSource(database.url, { entities }).initialize();
  const { accountId } = await stock(dataSource, new SimulatedFleet(folder));
  await dataSource.query('CREATE TABLE test_ports (ip inet, port int, PRIMARY KEY (ip, port))');
  const payments = await startPayments(dataSource, {
    listener: listenerOf(dataSource, () => payments.provider),
  });
  await payments.cards.finishSetup(accountId, await payments.enterCard(accountId, card));
  started.set(database.url, async () => {
    await payments.close();
    await dataSource.destroy();
    await database.drop();
    await rm(folder, { recursive: true });
    await rm(importsFolder(folder), { recursive: true, force: true });
    await rm(kitchenFolder(folder), { recursive: true, force: true });
    await rm(exportsFolder(folder), { recursive: true, force: true });
  });
  return { url: database.url, folder, stripePort: String(payments.emulator.port) };
}

export async function destroyServerWorld({ url = '' }: WorldAddress): Promise<void> {
  await started.get(url)?.();
  started.delete(url);
}

/** Connects this process to a world that another one may have made. */
export async function attachToServerWorld(address: WorldAddress): Promise<ServerWorld> {
  const { url = '', folder = '', stripePort = '' } = address;
  const dataSource = await createDataSource(url, { entities }).initialize();
  const store = new SagaStore(dataSource);
  const stripe = { host: LOOPBACK, port: Number(stripePort) };
  const listener = listenerOf(dataSource, () => connected.provider);
  const connected = connectPayments(dataSource, stripe, listener);
  const { payments, events, provider, calls, cards } = connected;
  const fleet = new SimulatedFleet(folder);
  const [uri, simulated] = [/^simulated:/, new SimulatedHypervisor(fleet, await installationId(dataSource))];
  const cipher = new EnvelopeCipher([Buffer.alloc(32, 7)]);
  const [secrets, scripts] = [new SecretsStore(cipher), new ScriptVault(cipher)];
  const findings = new FindingsService(dataSource);
  const deps: WorkflowDeps = {
    dataSource,
    hypervisor: new RoutingHypervisor([{ uri, driver: simulated }]),
    reach: new RoutingGuestReach([{ uri, driver: new SimulatedGuestReach(fleet) }]),
    access: portsInTable(dataSource),
    payments,
    secrets,
    findings,
    collecting: { dataSource, provider, calls, cards, sagas: store, findings, clock: systemClock },
    exports: { store: new ExportStore(exportsFolder(folder)), keepDays: 7 },
    imports: importsIn(folder),
    recipes: recipesIn(folder),
    rehearsals: { scripts, checksSeconds: 0.2 },
    storefrontUrl: 'http://127.0.0.1:9',
  };
  const placer = new OrderPlacer(dataSource, store, silentQueue, secrets, findings);
  const mayOrder = { assertMayOrder: async () => {}, assertMayKeep: async () => {} };
  const servers = new ServersService(dataSource);
  const clones = new CloneRequests(dataSource, mayOrder, placer, servers, store, silentQueue);
  return {
    dataSource,
    sagas: workflows(deps),
    observers: [new ActionProgress()],
    deps,
    fleet,
    store,
    placer,
    clones,
    types: new TypeChanges(dataSource, mayOrder, servers, store, silentQueue, findings),
    commands: new ServerCommands(dataSource, store, silentQueue, secrets),
    rescues: new RescueCommands(dataSource, store, silentQueue, secrets),
    isos: new IsoCommands(dataSource, store, silentQueue),
    exports: new ExportRequests(dataSource, new ImagesService(dataSource), store, silentQueue),
    cooks: new CookRequests(
      dataSource,
      store,
      silentQueue,
      deps.recipes.shelf,
      mayOrder,
      deps.recipes.settings,
    ),
    rehearsals: new RehearsalRequests(dataSource, store, silentQueue, scripts, clones, mayOrder),
    volumes: new VolumeCommands(dataSource, store, silentQueue, mayOrder),
    events,
    emulatorUrl: `http://${LOOPBACK}:${stripePort}`,
    close: () => dataSource.destroy(),
  };
}

/** Beside the folder of the fleet, all of whose folders are hosts. */
function exportsFolder(folder: string): string {
  return `${folder}-exports`;
}

/** The listener of a world, whose provider comes to be after it. */
export function listenerOf(dataSource: DataSource, provider: () => PaymentProvider, clock = systemClock) {
  const [sagas, findings] = [new SagaStore(dataSource), new FindingsService(dataSource)];
  return moneyListener({
    sagas,
    findings,
    clock,
    get provider() {
      return provider();
    },
  });
}

/** The harness sweeps by itself, so nobody has to be woken. */
export const silentQueue = { poke: async () => {} } as unknown as SagaQueue;

function portsInTable(dataSource: DataSource): AccessPublisher {
  return {
    async publish(ip, port) {
      await dataSource.query('INSERT INTO test_ports VALUES ($1, $2) ON CONFLICT DO NOTHING', [ip, port]);
      return { host: ip, port };
    },
    async withdraw(ip, port) {
      await dataSource.query('DELETE FROM test_ports WHERE ip = $1 AND port = $2', [ip, port]);
    },
    async published(ip) {
      const rows = await dataSource.query<{ port: number }[]>('SELECT port FROM test_ports WHERE ip = $1', [
        ip,
      ]);
      return rows.map(({ port }) => port);
    },
  };
}
