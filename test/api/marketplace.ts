import type { DataSource } from 'typeorm';
import { closeAccount, firstPrice, invoices, openServer } from '#libs/billing';
import { seedCatalog } from '#libs/catalog';
import { ImagesService } from '#libs/images';
import { newId, newUuid } from '#libs/kernel';
import { addAddresses } from '#libs/networks';
import { HostsService } from '#libs/placement';
import type { TestApi } from './test-api.ts';

export interface Tenant {
  readonly accountId: number;
  readonly projectId: number;
  readonly cookie: string;
  readonly token: string;
  readonly readToken: string;
  readonly revokedToken: string;
}

const PASSWORD = 'correct horse battery';

/** A catalog with one appliance, and one host with room and addresses. */
export async function stockMarketplace(api: TestApi): Promise<void> {
  const dataSource = api.dataSource;
  await seedCatalog(dataSource.manager, {
    name: 'lab',
    description: 'Lab',
    city: 'Berlin',
    country: 'DE',
    networkZone: 'eu-central',
  });
  const [location]: { id: number }[] = await dataSource.query('SELECT id FROM locations');
  if (!location) throw new Error('the catalog has no location');
  const image = await api.get<ImagesService>(ImagesService).register(dataSource.manager, {
    appliance: {
      name: 'web',
      title: 'Web server',
      summary: 'nginx',
      description: 'nginx on Debian',
      category: 'web',
      iconSvg: '<svg xmlns="http://www.w3.org/2000/svg"/>',
      osFlavor: 'debian',
      osVersion: '12',
      licence: 'various',
      ports: [{ name: 'Web', port: 80, protocol: 'http' }],
      healthChecks: [],
      minimumMemoryMib: 512,
      minimumDiskGib: 4,
    },
    sha256: 'a'.repeat(64),
    fileSizeBytes: 400_000_000,
    virtualSizeBytes: 4 * 1024 ** 3,
    packageCount: 200,
  });
  const hosts = api.get<HostsService>(HostsService);
  const host = await hosts.save(dataSource.manager, {
    name: 'kvm-1',
    uri: 'simulated:kvm-1',
    hostUuid: newUuid(),
    locationId: location.id,
    domainType: 'qemu',
    domainTypeReason: 'a test',
    imagePool: 'images',
    diskPool: 'disks',
    bridge: 'br0',
    vcpus: 64,
    memoryMib: 131_072,
    diskGib: 2000,
  });
  await api.get<ImagesService>(ImagesService).recordOnHost(dataSource.manager, image.id, host.id);
  await addAddresses(dataSource.manager, {
    locationId: location.id,
    firstIp: '10.99.0.10',
    count: 100,
    prefixLength: 24,
    gateway: '10.99.0.1',
  });
}

/** A customer with a card on file, a session and tokens of each kind. */
export async function newTenant(api: TestApi, email: string): Promise<Tenant> {
  const signedUp = await api.request('POST', '/v1/accounts', { body: { email, password: PASSWORD } });
  if (signedUp.statusCode !== 201)
    throw new Error(`sign-up answered ${signedUp.statusCode}: ${signedUp.body}`);
  const { account, project } = signedUp.json();
  const cookie = String(signedUp.headers['set-cookie']).split(';', 1)[0] ?? '';
  await saveCard(api.dataSource, account.id);
  const token = async (access: string) => {
    const body = { name: access, access, sees_money: access === 'read_write' };
    const answer = await api.request('POST', '/v1/api_tokens', { cookie, body });
    return answer.json() as { token: string; api_token: { id: number } };
  };
  const revoked = await token('read_write');
  await api.request('DELETE', `/v1/api_tokens/${revoked.api_token.id}`, { cookie });
  return {
    accountId: account.id,
    projectId: project.id,
    cookie,
    token: (await token('read_write')).token,
    readToken: (await token('read')).token,
    revokedToken: revoked.token,
  };
}

/** A server that a customer has used for two hours of a month that is over, invoiced. @returns the invoice's id */
export async function usedServerOf(
  api: TestApi,
  tenant: Pick<Tenant, 'accountId' | 'projectId'>,
): Promise<number> {
  const { dataSource } = api;
  const { manager } = dataSource;
  const { accountId, projectId } = tenant;
  await firstPrice(manager, { item: 'compute/u', title: 'u: CPU and RAM', hourlyMicro: 100_000_000 });
  await firstPrice(manager, { item: 'disk/u', title: 'u: disk', hourlyMicro: 20_000_000 });
  const now = new Date();
  const until = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth()));
  const names = { serverName: 'used', serverTypeName: 'u', imageName: 'none', currency: 'eur' };
  const server = { accountId, projectId, serverId: newId(), isRunning: true, ...names };
  await openServer(manager, server, new Date(until.getTime() - 2 * 3_600_000));
  await closeAccount(dataSource, accountId, { until, now, reason: 'month' });
  const [written] = await invoices(manager, { accountId, limit: 1 });
  if (!written) throw new Error('two hours are on no invoice');
  return written.id;
}

async function saveCard(dataSource: DataSource, accountId: number): Promise<void> {
  await dataSource.query('INSERT INTO stripe_customers (account_id, provider_id) VALUES ($1, $2)', [
    accountId,
    `cus_${accountId}`,
  ]);
  await dataSource.query(
    `INSERT INTO cards (id, account_id, provider_id, brand, last4, expiry_month, expiry_year, is_default)
     VALUES ($1, $2, $3, 'visa', '4242', 12, 2099, true)`,
    [newId(), accountId, `pm_${accountId}`],
  );
}
