import type { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { catalogEntities } from '#libs/catalog';
import { type Environment, loadEnvironment } from '#libs/config';
import { createDataSource } from '#libs/database';
import type { Hypervisor } from '#libs/hypervisor';
import { createHypervisorDrivers } from '#libs/hypervisor/drivers';
import { imagesEntities } from '#libs/images';
import { installationId, placementEntities } from '#libs/placement';

/** What operators' commands work with: the database and the way to the hosts. */
export interface Installation {
  readonly environment: Environment;
  readonly dataSource: DataSource;
  readonly hypervisor: Hypervisor;
}

const entities = [...accountsEntities, ...catalogEntities, ...imagesEntities, ...placementEntities];

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
    return await work({ environment, dataSource, hypervisor: drivers.hypervisor });
  } finally {
    await dataSource.destroy();
  }
}
