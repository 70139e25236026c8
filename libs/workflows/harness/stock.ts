import type { DataSource } from 'typeorm';
import { AccountsService } from '#libs/accounts';
import { seedCatalog } from '#libs/catalog';
import type { HostRef } from '#libs/hypervisor';
import type { SimulatedFleet } from '#libs/hypervisor/simulated';
import { type Appliance, type Image, ImagesService } from '#libs/images';
import { addAddresses } from '#libs/networks';
import { HostsService } from '#libs/placement';

const HOST = 'kvm-1';
const VIRTUAL_SIZE_BYTES = 4 * 1024 ** 3;

/** A catalog with two appliances and a rescue system, one host that has them, addresses, and a customer who may order. */
export async function stock(dataSource: DataSource, fleet: SimulatedFleet): Promise<{ accountId: number }> {
  const { manager } = dataSource;
  const place = { name: 'lab', description: 'Lab', city: 'Berlin', country: 'DE', networkZone: 'eu-central' };
  await seedCatalog(manager, place);
  const [location] = await manager.query<[{ id: number }]>('SELECT id FROM locations');
  const { hostUuid } = fleet.addHost(HOST);
  const ref = fleet.hostRef(HOST, 0);
  const hosts = new HostsService(dataSource);
  const host = await hosts.save(manager, {
    ...hardware(ref),
    hostUuid,
    locationId: location.id,
  });
  await addAddresses(manager, {
    locationId: location.id,
    firstIp: '10.99.0.10',
    count: 20,
    prefixLength: 24,
    gateway: '10.99.0.1',
  });
  for (const [name, port] of [
    ['web', 80],
    ['mail', 25],
    ['rescue', 22],
  ] as const) {
    const image = await registerImage(dataSource, name, port);
    putImage(fleet, ref, image);
    await new ImagesService(dataSource).recordOnHost(manager, image.id, host.id);
  }
  const customer = { email: 'customer@example.test', password: 'correct horse battery' };
  const { account } = await new AccountsService(dataSource).signUp(customer);
  return { accountId: account.id };
}

function hardware({ name, uri, imagePool, diskPool, bridge }: HostRef) {
  const domainType = 'qemu' as const;
  const size = { vcpus: 32, memoryMib: 65_536, diskGib: 1000 };
  return { name, uri, imagePool, diskPool, bridge, domainType, domainTypeReason: 'simulated', ...size };
}

function registerImage(dataSource: DataSource, name: string, port: number): Promise<Image> {
  const appliance: Appliance = {
    name,
    title: name,
    summary: name,
    description: name,
    category: 'test',
    iconSvg: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    osFlavor: 'debian',
    osVersion: '12',
    licence: 'various',
    ports: [{ name, port, protocol: port === 80 ? 'http' : 'tcp' }],
    healthChecks: [port === 80 ? { type: 'http', port, path: '/', status: 200 } : { type: 'tcp', port }],
    secrets: [{ name: `${name}_password`, title: `Password of ${name}`, username: 'admin' }],
    minimumMemoryMib: 512,
    minimumDiskGib: 4,
    ...(name === 'rescue' && { isRescue: true }),
  };
  return new ImagesService(dataSource).register(dataSource.manager, {
    appliance,
    sha256: name.charCodeAt(0).toString(16).repeat(32),
    fileSizeBytes: 400_000_000,
    virtualSizeBytes: VIRTUAL_SIZE_BYTES,
    packageCount: 200,
  });
}

function putImage(fleet: SimulatedFleet, ref: HostRef, { volumeName, sha256 }: Image): void {
  if (sha256 === null) throw new Error('a golden image has a checksum');
  const image = { volumeName, sha256, virtualSizeBytes: VIRTUAL_SIZE_BYTES };
  fleet.putVolume(ref.name, {
    name: volumeName,
    pool: ref.imagePool,
    capacityBytes: VIRTUAL_SIZE_BYTES,
    allocationBytes: 400_000_000,
    image,
  });
}
