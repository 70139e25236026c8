import type { Command } from 'commander';
import type { DataSource } from 'typeorm';
import { CatalogService } from '#libs/catalog';
import { runInTransaction } from '#libs/database';
import { addHost, assertGone, type Loss, loseHost, lossesOn } from '#libs/fleet';
import { ImagesService } from '#libs/images';
import { type Host, HostsService } from '#libs/placement';
import { type Installation, withInstallation } from './installation.ts';
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
    .command('lost <name>')
    .description(
      'say that a host is gone for good: all that was on it is deleted, and its owners are written to',
    )
    .option('--yes', 'do it; without it you are shown what is lost, and nothing is changed')
    .action((name: string, options: { yes?: boolean }) => lose(name, options.yes === true));
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

async function lose(name: string, isSure: boolean): Promise<void> {
  await withInstallation(async (installation) => {
    const { dataSource, hypervisor } = installation;
    const host = await new HostsService(dataSource).getByName(name);
    if (host.state !== 'lost') {
      const since = await assertGone(dataSource, hypervisor, host);
      process.stdout.write(`${name} has not answered since ${since.toISOString()}. On it is:\n`);
      showLosses(await lossesOn(dataSource.manager, host));
      if (!isSure) {
        const again = `servery host lost ${name} --yes`;
        process.stdout.write(
          `Nothing is changed yet. Switch its machine off for good, so that it never comes back, then: ${again}\n`,
        );
        return;
      }
      await recordLoss(installation, host);
    }
    await showLeft(dataSource, host);
  });
}

function recordLoss({ dataSource, audit }: Installation, host: Host): Promise<void> {
  return runInTransaction(dataSource, async (manager) => {
    if (await loseHost(manager, host)) await audit('host.lost', host.id, manager);
  });
}

function showLosses(losses: readonly Loss[]): void {
  for (const { kind, id, name, email } of losses) {
    process.stdout.write(`  ${kind.padEnd(8)} ${String(id).padEnd(16)} ${name}  (${email})\n`);
  }
  const accounts = new Set(losses.map(({ accountId }) => accountId)).size;
  process.stdout.write(`  ${losses.length} in all, of ${accounts} accounts\n`);
}

/** What the worker makes of it within minutes. */
async function showLeft(dataSource: DataSource, { id, name }: Host): Promise<void> {
  const [{ left }] = await dataSource.query<[{ left: number }]>(
    'SELECT count(*)::int AS left FROM reservations WHERE host_id = $1',
    [id],
  );
  process.stdout.write(
    left > 0
      ? `✔ ${name} is lost. A worker deletes the ${left} servers and volumes that are left on it\n`
      : `✔ ${name} is lost, and no server or volume is left on it: servery host remove ${name}\n`,
  );
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
