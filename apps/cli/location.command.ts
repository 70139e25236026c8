import type { Command } from 'commander';
import { CatalogService, seedCatalog } from '#libs/catalog';
import { ImagesService } from '#libs/images';
import { DomainError } from '#libs/kernel';
import { withInstallation } from './installation.ts';
import { invalid } from './options.ts';

interface AddOptions {
  readonly city: string;
  readonly country: string;
  readonly description?: string;
  readonly networkZone: string;
}

export function registerLocation(program: Command): void {
  const location = program.command('location').description('where hosts stand');
  location.command('list').description('all of them').action(list);
  location
    .command('add <name>')
    .description('add a location; the first one brings the sizes that a new installation starts with')
    .requiredOption('--city <city>', 'as customers read it')
    .requiredOption('--country <code>', 'two letters of ISO 3166: DE')
    .option('--description <text>', 'as customers read it; the city unless told')
    .option('--network-zone <name>', "the network zone, in the API's word for it", 'default')
    .action(add);
}

async function list(): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const { items } = await new CatalogService(dataSource, new ImagesService(dataSource)).locations();
    if (items.length === 0)
      process.stdout.write('There is no location yet. Add one: servery location add --help\n');
    for (const { name, city, country, description } of items) {
      process.stdout.write(`${name.padEnd(16)}  ${`${city}, ${country}`.padEnd(28)}  ${description}\n`);
    }
  });
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { city, country, description = city, networkZone } = options;
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name) || name.endsWith('-dc1')) {
    throw invalid(
      `"${name}" must be small letters, digits and hyphens, and not end in -dc1, which the API adds`,
    );
  }
  if (!/^[A-Z]{2}$/.test(country))
    throw invalid(`--country: "${country}" must be two capital letters, such as DE`);
  await withInstallation(async ({ dataSource, audit }) => {
    const catalog = new CatalogService(dataSource, new ImagesService(dataSource));
    const { items } = await catalog.locations();
    if (items.some((known) => known.name === name))
      throw new DomainError('conflict', 'location_exists', `there is a location ${name} already`);
    await dataSource.transaction(async (manager) => {
      await seedCatalog(manager, { name, city, country, description, networkZone });
    });
    const location = await catalog.location(name);
    await audit('location.add', location.id);
    process.stdout.write(`✔ ${location.name}: ${location.city}, ${location.country}\n`);
  });
}
