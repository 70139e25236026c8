import type { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { catalogEntities } from '#libs/catalog';
import { type Environment, loadEnvironment } from '#libs/config';
import { createDataSource } from '#libs/database';
import type { Hypervisor } from '#libs/hypervisor';
import { createHypervisorDrivers } from '#libs/hypervisor/drivers';
import { imagesEntities } from '#libs/images';
import { isosEntities } from '#libs/isos';
import { MoneyClock } from '#libs/payments';
import { isEmulated } from '#libs/payments/stripe';
import { installationId, placementEntities } from '#libs/placement';
import { type ShellAudit, shellAudit } from './shell-audit.ts';

/** What operators' commands work with: the database, the way to the hosts, and the audit of what they change. */
export interface Installation {
  readonly environment: Environment;
  readonly dataSource: DataSource;
  readonly hypervisor: Hypervisor;
  readonly audit: ShellAudit;
}

/** The audit's subject where the whole installation is meant. */
export const INSTALLATION = 1;

const entities = [
  ...accountsEntities,
  ...catalogEntities,
  ...imagesEntities,
  ...isosEntities,
  ...placementEntities,
];

/** Opens the installation that `variables` describe for as long as `work` takes. */
export async function withInstallation<T>(
  work: (installation: Installation) => Promise<T>,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const environment = loadEnvironment(variables);
  const dataSource = createDataSource(environment.DATABASE_URL, { entities, applicationName: 'servery-cli' });
  await dataSource.initialize();
  try {
    using drivers = createHypervisorDrivers({
      installationId: await installationId(dataSource),
      guestProxy: environment.SERVERY_GUEST_PROXY,
      simulatedFolder: environment.SERVERY_SIMULATED_FLEET_DIR,
    });
    return await work({
      environment,
      dataSource,
      hypervisor: drivers.hypervisor,
      audit: shellAudit(dataSource),
    });
  } finally {
    await dataSource.destroy();
  }
}

/** The clock of money. @throws PaymentError `clock_moved` where it was moved, and Stripe itself is connected now */
export function moneyClock({ dataSource, environment }: Installation): Promise<MoneyClock> {
  return MoneyClock.open(dataSource, isEmulated(environment));
}
