import { CatalogService, seedCatalog } from '#libs/catalog';
import { addHost } from '#libs/fleet';
import { ImagesService } from '#libs/images';
import { addAddresses } from '#libs/networks';
import { HostsService } from '#libs/placement';
import { type Installation, withInstallation } from '../installation.ts';
import type { LabDescription } from './lab-description.ts';
import type { Progress, Step } from './step.ts';

const LOCATION = {
  name: 'lab',
  description: 'The lab on this machine',
  city: 'Here',
  country: 'DE',
  networkZone: 'lab',
};

/** What one lab host may promise: two of them show how servers are packed, and leave memory to the machine. */
const LAB_CAPACITY = { memoryMib: 6144, overcommit: 4, diskGib: 200 };

/** Tells Servery of the lab's hosts, as an operator would of their own: `servery host add`. */
export const hostsStep: Step = {
  title: 'Hosts, sizes and addresses',
  log: 'lab',
  async run(up, progress) {
    const { lab } = up;
    if (!lab) return 'your own';
    return withInstallation((installation) => register(installation, lab, progress), up.environment());
  },
};

async function register(
  { dataSource, hypervisor, audit }: Installation,
  lab: LabDescription,
  progress: Progress,
): Promise<string> {
  await seedCatalog(dataSource.manager, LOCATION);
  const location = await new CatalogService(dataSource, new ImagesService(dataSource)).location(
    LOCATION.name,
  );
  await addAddresses(dataSource.manager, { ...guestAddresses(lab), locationId: location.id });
  const known = await new HostsService(dataSource).all();
  const lines: string[] = [];
  for (const { name, uri } of lab.hosts) {
    const same = known.find((host) => host.name === name && host.uri === uri);
    if (!same) progress(`${name}: does KVM really work here?`);
    const host =
      same ??
      (await addHost(dataSource, hypervisor, {
        name,
        uri,
        locationId: location.id,
        imagePool: lab.pools.images,
        diskPool: lab.pools.disks,
        bridge: lab.network.bridge,
        ...LAB_CAPACITY,
      }));
    if (!same) await audit('host.add', host.id);
    lines.push(`${name} (${host.domainType === 'kvm' ? 'KVM' : 'emulation'})`);
  }
  return lines.join(', ');
}

function guestAddresses({ network }: LabDescription) {
  const number = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return {
    firstIp: network.firstGuest,
    count: number(network.lastGuest) - number(network.firstGuest) + 1,
    prefixLength: network.prefixLength,
    gateway: network.gateway,
  };
}
