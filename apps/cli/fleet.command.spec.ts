import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AccountsService } from '#libs/accounts';
import { LostHosts } from '#libs/fleet';
import { HostsService, release } from '#libs/placement';
import type { SagaQueue } from '#libs/queue';
import { runToEnd } from '#libs/saga/harness';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  order,
  placeOn,
  type ServerWorld,
  standingVolume,
} from '#libs/workflows/harness';
import { serveryCli } from '../../test/support/servery-cli.ts';

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
/** Nobody runs sagas here, so nobody has to be woken. */
const queue = { poke: async () => {} } as unknown as SagaQueue;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

const servery = serveryCli(() => ({
  DATABASE_URL: address.url,
  SERVERY_SIMULATED_FLEET_DIR: address.folder,
}));

it('servery operator add makes an operator who can sign in', async () => {
  const said = await servery('operator', 'add', 'Anna@example.org');
  const password = String(/password (\S+)\n$/.exec(said)?.[1]);
  const accounts = new AccountsService(world.dataSource);
  expect(await accounts.authenticate('anna@example.org', password)).toMatchObject({ role: 'operator' });
  await expect(servery('operator', 'add', 'anna')).rejects.toThrow('must be an e-mail address');
});

it('servery location and address add set a place up, and say what is wrong', async () => {
  await servery('location', 'add', 'fsn1', '--city', 'Falkenstein', '--country', 'DE');
  await expect(servery('location', 'add', 'fsn1', '--city', 'X', '--country', 'DE')).rejects.toThrow(
    'already',
  );
  await expect(servery('location', 'add', 'FSN', '--city', 'X', '--country', 'DE')).rejects.toThrow(
    'small letters',
  );
  await expect(servery('location', 'add', 'x', '--city', 'X', '--country', 'Germany')).rejects.toThrow('DE');
  expect(await servery('location', 'list')).toContain('Falkenstein, DE');

  const network = ['--prefix-length', '24', '--gateway', '203.0.113.1', '--location', 'fsn1'];
  expect(await servery('address', 'add', '203.0.113.10-203.0.113.19', ...network)).toContain(
    'fsn1: 10 added',
  );
  expect(await servery('address', 'add', '203.0.113.10-203.0.113.20', ...network)).toContain(
    '1 added, 10 were',
  );
  await expect(servery('address', 'add', '203.0.113.1', ...network)).rejects.toThrow(
    'the gateway: leave it out',
  );
  expect(await servery('address', 'list')).toContain('gateway 203.0.113.1/24  11 of 11 free');
  expect(await servery('address', 'remove', '203.0.113.20')).toContain('1 removed');
  expect(await servery('audit')).toMatch(/location\.remove_addresses .*\n.*location\.add_addresses/);
});

it('servery host add again renews a host, and leaves it where it is', async () => {
  await world.dataSource.query(
    `INSERT INTO locations VALUES (1, 'a-first', 'a', 'a', 'DE', 'default') ON CONFLICT DO NOTHING`,
  );
  const hosts = new HostsService(world.dataSource);
  const { uri, ...before } = await hosts.getByName('kvm-1');
  const add = (...options: string[]) => servery('host', 'add', uri, '--name', 'kvm-1', ...options);
  await add('--bridge', 'br7');
  expect(await add('--overcommit', '2')).toContain('kvm-1: ');
  for (const wrong of [
    ['--memory-mib', '0.5'],
    ['--overcommit', '17'],
    ['--disk-gib', 'all'],
  ]) {
    await expect(add(...wrong)).rejects.toThrow(/must be a .*number/);
  }
  const { locationId, imagePool, diskPool } = before;
  expect(await hosts.getByName('kvm-1')).toMatchObject({ locationId, imagePool, diskPool, bridge: 'br7' });
});

it('servery host lost shows what is lost, and takes it from its owners when it is told to', async () => {
  const { dataSource } = world;
  const { uri } = await new HostsService(dataSource).getByName('kvm-1');
  world.fleet.addHost('kvm-9', { hostUuid: randomUUID() });
  await servery('host', 'add', uri.replace('kvm-1', 'kvm-9'), '--name', 'kvm-9', '--location', 'lab');
  await placeOn(world, 'kvm-9');
  const volume = await standingVolume(world);
  await expect(servery('host', 'lost', 'kvm-9')).rejects.toThrow('kvm-9 answers');
  world.fleet.change('kvm-9', { unreachable: true });
  await expect(servery('host', 'lost', 'kvm-9', '--yes')).rejects.toThrow('let it run');
  const { id } = await new HostsService(dataSource).getByName('kvm-9');
  await world.deps.findings.report({ kind: 'host_unreachable', hostId: id, subject: 'kvm-9' });

  const shown = await servery('host', 'lost', 'kvm-9');
  expect(shown).toMatch(
    new RegExp(`volume +${volume.id} +${volume.name} +\\(customer@example.test\\)\n +1 in all, of 1`),
  );
  expect(shown).toContain('Nothing is changed yet');
  expect(await servery('host', 'list')).toMatch(/kvm-9 +active/);
  expect(await servery('host', 'lost', 'kvm-9', '--yes')).toContain('the 1 servers and volumes');
  expect(await servery('host', 'list')).toMatch(/kvm-9 +lost/);
  expect(await servery('audit')).toMatch(/host\.lost/);
  for (const change of ['activate', 'drain', 'remove']) {
    await expect(servery('host', change, 'kvm-9')).rejects.toThrow(/kvm-9 is lost|1 servers and volumes/);
  }

  await new LostHosts(dataSource, world.store, queue, world.deps.findings).clear();
  const [saga] = await world.store.list({ subject: { type: 'volume', id: volume.id }, limit: 1 });
  await runToEnd(world, 'delete-volume', Number(saga?.id), []);
  expect(await servery('host', 'lost', 'kvm-9', '--yes')).toContain('servery host remove kvm-9');
  await servery('host', 'remove', 'kvm-9');
  expect(await dataSource.query(`SELECT recipient FROM mails WHERE template = 'host-lost'`)).toEqual([
    { recipient: 'customer@example.test' },
  ]);
});

it('servery host drains, activates, and removes a host only when it is empty', async () => {
  await servery('host', 'drain', 'kvm-1');
  expect(await servery('host', 'list')).toMatch(/kvm-1 +draining/);
  await expect(order(world)).rejects.toMatchObject({ code: 'resource_unavailable' });
  await servery('host', 'activate', 'kvm-1');
  const { server } = await order(world);
  await expect(servery('host', 'remove', 'kvm-1')).rejects.toThrow('1 servers and volumes are on this host');

  const { manager } = world.dataSource;
  await release(manager, server.id);
  await manager.query(
    `UPDATE servers SET host_id = (SELECT id FROM hosts), deleted_at = now() WHERE id = $1`,
    [server.id],
  );
  await servery('host', 'remove', 'kvm-1');
  expect(await servery('host', 'list')).toContain('There is no host yet');
  await expect(servery('host', 'remove', 'kvm-1')).rejects.toThrow('there is no host kvm-1');
});
