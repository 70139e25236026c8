import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { SimulatedFleet, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { newId } from '#libs/kernel';
import { type Host, HostsService, placementEntities, reserve } from '#libs/placement';
import { testDatabase } from '../../test/support/test-database.ts';
import { addHost, type HostToAdd } from './index.ts';

const database = testDatabase({ entities: placementEntities });
const folder = mkdtempSync(join(tmpdir(), 'servery-hosts-'));
const [HERE, THERE] = [newId(), newId()];
const ROOM = { vcpus: 2, memoryMib: 2048, diskGib: 20 };

let fleet: SimulatedFleet;
let hypervisor: SimulatedHypervisor;
let hosts: HostsService;

beforeEach(async () => {
  const { dataSource } = database;
  fleet = new SimulatedFleet(mkdtempSync(join(folder, 'fleet-')));
  hypervisor = new SimulatedHypervisor(fleet, 'here');
  hosts = new HostsService(dataSource);
  await dataSource.query('DELETE FROM reservations');
  await dataSource.query('DELETE FROM hosts');
  await dataSource.query(
    `INSERT INTO locations VALUES ($1, 'here', 'here', 'here', 'DE', 'eu-central'),
       ($2, 'there', 'there', 'there', 'DE', 'eu-central') ON CONFLICT DO NOTHING`,
    [HERE, THERE],
  );
  fleet.addHost('one');
});
afterAll(() => rmSync(folder, { recursive: true }));

function add(more: Partial<HostToAdd> = {}): Promise<Host> {
  const ref = fleet.hostRef('one', 0);
  return addHost(database.dataSource, hypervisor, { ...ref, locationId: HERE, ...more });
}

async function placeSomething(): Promise<void> {
  const request = { ...ROOM, serverId: newId(), locationId: HERE, imageId: null };
  await database.dataSource.transaction((manager) => reserve(manager, request));
}

it('a host on which nothing is may become smaller, and stand elsewhere', async () => {
  await add();
  expect(await add({ memoryMib: 1024, locationId: THERE })).toMatchObject({
    memoryMib: 1024,
    locationId: THERE,
  });
});

it('a host cannot have less than is promised of it', async () => {
  const host = await add();
  await placeSomething();
  await expect(add({ memoryMib: 1024 })).rejects.toMatchObject({
    code: 'host_invalid',
    message: '2 vCPUs, 2048 MiB and 20 GiB of one are promised already',
  });
  expect(await hosts.get(host.id)).toMatchObject({ memoryMib: host.memoryMib, usedMemoryMib: 2048 });
  expect(await add({ memoryMib: 2048 })).toMatchObject({ memoryMib: 2048 });
});

it('a host with servers stays in their location', async () => {
  const host = await add();
  await placeSomething();
  await expect(add({ locationId: THERE })).rejects.toMatchObject({ code: 'host_in_use' });
  expect((await hosts.get(host.id)).locationId).toBe(HERE);
});

it('another machine at the URI of a host is not taken for that, nor added beside it', async () => {
  await add();
  fleet.addHost('one', { hostUuid: '00000000-0000-4000-8000-000000000001' });
  await expect(add({ name: 'two' })).rejects.toMatchObject({
    code: 'host_exists',
    message: 'another machine is known as host one, at simulated:one; remove that first',
  });
});
