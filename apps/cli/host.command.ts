import type { Command } from 'commander';
import { CatalogService } from '#libs/catalog';
import { addHost } from '#libs/fleet';
import { ImagesService } from '#libs/images';
import { type Host, HostsService } from '#libs/placement';
import { withInstallation } from './installation.ts';

interface AddOptions {
  readonly name: string;
  readonly location?: string;
  readonly imagePool: string;
  readonly diskPool: string;
  readonly bridge: string;
  readonly memoryMib?: string;
  readonly overcommit?: string;
  readonly diskGib?: string;
}

export function registerHost(program: Command): void {
  const host = program.command('host').description('the hypervisor hosts');
  host
    .command('add <uri>')
    .description(
      'add a libvirt host by its URI, such as qemu+ssh://root@kvm7/system, or renew what is known of it',
    )
    .requiredOption('--name <name>', 'what to call it')
    .option('--location <name>', 'where it stands; the first location unless told')
    .option('--image-pool <pool>', 'libvirt pool of the golden images', 'servery-images')
    .option('--disk-pool <pool>', "libvirt pool of the servers' disks", 'servery-disks')
    .option('--bridge <bridge>', "Linux bridge of the servers' network", 'br0')
    .option('--memory-mib <MiB>', 'memory that servers may have; nine tenths unless told')
    .option('--overcommit <factor>', 'virtual CPUs for each real one; 4 unless told')
    .option('--disk-gib <GiB>', 'disk that servers may have; the whole pool unless told')
    .action((uri: string, options: AddOptions) => add(uri, options));
  host
    .command('drain <name>')
    .description('place no more servers on a host; those on it stay')
    .action((name: string) => change(name, 'host.drain', (hosts, id) => hosts.setState(id, 'draining')));
  host
    .command('activate <name>')
    .description('place servers on a host again')
    .action((name: string) => change(name, 'host.activate', (hosts, id) => hosts.setState(id, 'active')));
  host
    .command('remove <name>')
    .description('forget a host that has no server; nothing on the host itself is touched')
    .action((name: string) => change(name, 'host.remove', (hosts, id) => hosts.remove(id)));
  host.command('list').description('what each host has and what is promised of it').action(list);
}

async function add(uri: string, options: AddOptions): Promise<void> {
  await withInstallation(async ({ dataSource, hypervisor, audit }) => {
    const catalog = new CatalogService(dataSource, new ImagesService(dataSource));
    const location = await catalog.location(options.location);
    process.stdout.write(`Looking at ${uri}; a probe guest shows whether KVM works there.\n`);
    const { name, imagePool, diskPool, bridge } = options;
    const host = await addHost(dataSource, hypervisor, {
      name,
      uri,
      imagePool,
      diskPool,
      bridge,
      locationId: location.id,
      ...numbers({ memoryMib: options.memoryMib, overcommit: options.overcommit, diskGib: options.diskGib }),
    });
    await audit('host.add', host.id);
    process.stdout.write(
      `✔ ${host.name}: ${host.vcpus} vCPUs, ${host.memoryMib} MiB, ${host.diskGib} GiB, ${host.domainType}\n` +
        `  ${host.domainTypeReason}\n${sharing(await new HostsService(dataSource).peers(), host)}  Bring the images to it: servery image publish\n`,
    );
  });
}

/** A line of its own where others can take over what lies in the disk pool. */
function sharing(peers: ReadonlyMap<number, readonly string[]>, { id, diskPool }: Host): string {
  const names = peers.get(id);
  return names ? `  ${diskPool} is one with that of ${names.join(', ')}\n` : '';
}

async function change(
  name: string,
  action: string,
  apply: (hosts: HostsService, id: number) => Promise<unknown>,
): Promise<void> {
  await withInstallation(async ({ dataSource, audit }) => {
    const hosts = new HostsService(dataSource);
    const { id } = await hosts.getByName(name);
    await apply(hosts, id);
    await audit(action, id);
  });
  process.stdout.write(`✔ ${action.slice('host.'.length)} ${name}\n`);
}

function numbers(options: Readonly<Record<string, string | undefined>>): Record<string, number> {
  const given = Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    given.map(([name, text]) => {
      const value = Number(text);
      if (!(value > 0)) throw new Error(`${name} must be a number above zero, not ${text}`);
      return [name, value];
    }),
  );
}

async function list(): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const service = new HostsService(dataSource);
    const [hosts, peers] = [await service.all(), await service.peers()];
    if (hosts.length === 0) process.stdout.write('There is no host yet. Add one: servery host add <uri>\n');
    for (const host of hosts) {
      process.stdout.write(
        `${host.name.padEnd(16)} ${host.state.padEnd(12)} ${host.domainType.padEnd(5)}` +
          ` vCPUs ${host.usedVcpus}/${host.vcpus}  MiB ${host.usedMemoryMib}/${host.memoryMib}` +
          `  GiB ${host.usedDiskGib}/${host.diskGib}  ${host.uri}\n${sharing(peers, host)}`,
      );
    }
  });
}
