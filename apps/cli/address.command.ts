import type { Command } from 'commander';
import { CatalogService } from '#libs/catalog';
import { ImagesService } from '#libs/images';
import { addAddresses, addressPools, parseAddressRun, removeAddresses } from '#libs/networks';
import { withInstallation } from './installation.ts';

interface AddOptions {
  readonly prefixLength: string;
  readonly gateway: string;
  readonly location?: string;
}

export function registerAddress(program: Command): void {
  const address = program.command('address').description('the pools that servers take their addresses from');
  address.command('list').description('each network with what is free in it').action(list);
  address
    .command('add <run>')
    .description('add addresses that are routed to the bridges of the hosts: 203.0.113.10-203.0.113.99')
    .requiredOption('--prefix-length <bits>', 'of their network: 24')
    .requiredOption('--gateway <ip>', 'which servers send everything else to: 203.0.113.1')
    .option('--location <name>', 'of the hosts that they reach; the first location unless told')
    .action(add);
  address
    .command('remove <run>')
    .description('take addresses out of their pool; none of them may belong to a server')
    .action(remove);
}

async function list(): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const pools = await addressPools(dataSource.manager);
    if (pools.length === 0)
      process.stdout.write('There is no address yet. Add some: servery address add --help\n');
    for (const { location, firstIp, lastIp, gateway, prefixLength, free, total } of pools) {
      process.stdout.write(
        `${location.padEnd(16)}  ${`${firstIp}-${lastIp}`.padEnd(31)}  ` +
          `gateway ${gateway}/${prefixLength}  ${free} of ${total} free\n`,
      );
    }
  });
}

async function add(run: string, { prefixLength, gateway, location: name }: AddOptions): Promise<void> {
  const addresses = parseAddressRun(run);
  await withInstallation(async ({ dataSource, audit }) => {
    const location = await new CatalogService(dataSource, new ImagesService(dataSource)).location(name);
    const added = await dataSource.transaction(async (manager) => {
      await audit('location.add_addresses', location.id, manager);
      const network = { prefixLength: Number(prefixLength), gateway, locationId: location.id };
      return addAddresses(manager, { ...addresses, ...network });
    });
    const known = addresses.count - added;
    process.stdout.write(
      `✔ ${location.name}: ${added} added${known > 0 ? `, ${known} were in a pool already and stay as they are` : ''}\n`,
    );
  });
}

async function remove(run: string): Promise<void> {
  const addresses = parseAddressRun(run);
  await withInstallation(async ({ dataSource, audit }) => {
    const removed = await dataSource.transaction(async (manager) => {
      const byLocation = await removeAddresses(manager, addresses);
      for (const locationId of byLocation.keys())
        await audit('location.remove_addresses', locationId, manager);
      return [...byLocation.values()].reduce((sum, count) => sum + count, 0);
    });
    process.stdout.write(`✔ ${removed} removed\n`);
  });
}
