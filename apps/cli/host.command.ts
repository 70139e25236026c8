import type { Command } from 'commander';
import type { DataSource } from 'typeorm';
import { CatalogService } from '#libs/catalog';
import { addHost } from '#libs/fleet';
import { ImagesService } from '#libs/images';
import { type Host, HostsService } from '#libs/placement';
import { withInstallation } from './installation.ts';
import { invalid } from './options.ts';

interface AddOptions {
  readonly name: string;
  readonly location?: string;
  readonly imagePool?: string;
  readonly diskPool?: string;
  readonly bridge?: string;
  readonly memoryMib?: string;
  readonly overcommit?: string;
  readonly diskGib?: string;
}

/** Of a host that is new; one that is known keeps what it has. */
const DEFAULTS = { imagePool: 'servery-images', diskPool: 'servery-disks', bridge: 'br0' } as const;
const MOST_OVERCOMMIT = 16;

export function registerHost(program: Command): void {
  const host = program.command('host').description('the hypervisor hosts');
  host
    .command('add <uri>')
    .description(
      'add a libvirt host by its URI, such as qemu+ssh://root@kvm7/system, or renew what is known of it',
    )
    .requiredOption('--name <name>', 'what to call it')
    .option('--location <name>', 'where it stands; the first location unless told, or known')
    .option('--image-pool <pool>', `libvirt pool of the golden images; ${unlessTold('imagePool')}`)
    .option('--disk-pool <pool>', `libvirt pool of the servers' disks; ${unlessTold('diskPool')}`)
    .option('--bridge <bridge>', `Linux bridge of the servers' network; ${unlessTold('bridge')}`)
    .option('--memory-mib <MiB>', 'memory that servers may have; nine tenths unless told')
    .option('--overcommit <factor>', 'virtual CPUs for each real one, 1 to 16; 4 unless told')
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

function unlessTold(name: keyof typeof DEFAULTS): string {
  return `${DEFAULTS[name]} unless told, or known`;
}

async function add(uri: string, options: AddOptions): Promise<void> {
  const { name } = options;
  const capacity = capacityOf(options);
  await withInstallation(async ({ dataSource, hypervisor, audit }) => {
    const known = await new HostsService(dataSource).findByName(name);
    const of = (what: keyof typeof DEFAULTS) => options[what] ?? known?.[what] ?? DEFAULTS[what];
    const [imagePool, diskPool, bridge] = [of('imagePool'), of('diskPool'), of('bridge')];
    const locationId = await locationOf(dataSource, options, known);
    process.stdout.write(`Looking at ${uri}; a probe guest shows whether KVM works there.\n`);
    const place = { name, uri, imagePool, diskPool, bridge, locationId };
    const host = await addHost(dataSource, hypervisor, { ...place, ...capacity });
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

async function locationOf(
  dataSource: DataSource,
  { location: name }: AddOptions,
  known: Host | null,
): Promise<number> {
  if (known && name === undefined) return known.locationId;
  return (await new CatalogService(dataSource, new ImagesService(dataSource)).location(name)).id;
}

function capacityOf({ memoryMib, overcommit, diskGib }: AddOptions) {
  return {
    ...(memoryMib !== undefined && { memoryMib: whole('--memory-mib', memoryMib) }),
    ...(diskGib !== undefined && { diskGib: whole('--disk-gib', diskGib) }),
    ...(overcommit !== undefined && { overcommit: factor(overcommit) }),
  };
}

function whole(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw invalid(`${option}: "${text}" must be a whole number above zero`);
}

function factor(text: string): number {
  const value = Number(text);
  if (value >= 1 && value <= MOST_OVERCOMMIT) return value;
  throw invalid(`--overcommit: "${text}" must be a number from 1 to ${MOST_OVERCOMMIT}`);
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
