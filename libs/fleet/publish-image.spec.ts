import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { SimulatedFleet, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { type Appliance, ImagesService, imagesEntities } from '#libs/images';
import { newId } from '#libs/kernel';
import { placementEntities } from '#libs/placement';
import { testDatabase } from '../../test/support/test-database.ts';
import { addHost, type Published, publishImage } from './index.ts';

const database = testDatabase({ entities: [...placementEntities, ...imagesEntities] });
const folder = mkdtempSync(join(tmpdir(), 'servery-publish-'));
const HERE = newId();
const PROJECT = newId();
const HOSTS = ['one', 'other'];

const appliance: Appliance = {
  name: 'web',
  title: 'Web',
  summary: 'A web server',
  description: 'A web server',
  category: 'os',
  iconSvg: '<svg xmlns="http://www.w3.org/2000/svg"/>',
  osFlavor: 'debian',
  osVersion: '12',
  licence: 'various',
  ports: [],
  healthChecks: [],
  secrets: [],
  minimumMemoryMib: 512,
  minimumDiskGib: 4,
};

let fleet: SimulatedFleet;
let hypervisor: SimulatedHypervisor;

beforeEach(async () => {
  const { dataSource } = database;
  fleet = new SimulatedFleet(mkdtempSync(join(folder, 'fleet-')));
  hypervisor = new SimulatedHypervisor(fleet, 'here');
  await dataSource.query('DELETE FROM hosts');
  await dataSource.query('DELETE FROM images');
  await dataSource.query(
    `INSERT INTO locations VALUES ($1, 'here', 'here', 'here', 'DE', 'eu-central') ON CONFLICT DO NOTHING`,
    [HERE],
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function addHosts(): Promise<void> {
  for (const name of HOSTS) {
    fleet.addHost(name);
    await addHost(database.dataSource, hypervisor, { ...fleet.hostRef(name, 0), locationId: HERE });
  }
}

/** @param onUpload is called while its bytes go to a host */
function publish(build: string, onUpload?: () => void): Promise<Published> {
  const diskPath = join(folder, `${build}.qcow2`);
  writeFileSync(diskPath, build);
  const sha256 = createHash('sha256').update(build).digest('hex');
  const sizes = { fileSizeBytes: build.length, virtualSizeBytes: 4096, packageCount: 0 };
  const contents = { packages: [], sbom: '{}' };
  return publishImage(
    database.dataSource,
    hypervisor,
    { appliance, sha256, ...sizes, diskPath, contents },
    onUpload,
  );
}

/** What a server is of that is ordered now. */
async function ordered(): Promise<number> {
  return (await new ImagesService(database.dataSource).resolve('web', PROJECT)).id;
}

it('orders are of the former build until hosts have the new one', async () => {
  await addHosts();
  const { image: former } = await publish('first');
  const meanwhile: Promise<number>[] = [];
  const { image } = await publish('second', () => meanwhile.push(ordered()));
  expect(meanwhile.length).toBeGreaterThan(0);
  expect(new Set(await Promise.all(meanwhile))).toEqual(new Set([former.id]));
  expect(await ordered()).toBe(image.id);
});

it('orders stay of the former build where no host takes the new one, until one does', async () => {
  await addHosts();
  const { image: former } = await publish('first');
  for (const name of HOSTS) fleet.failNext(name, 'importImage', { when: 'before', with: 'pool_full' });
  expect(await publish('second')).toMatchObject({ isCurrent: false, newOn: [] });
  expect(await ordered()).toBe(former.id);
  fleet.failNext('one', 'importImage', { when: 'before', with: 'pool_full' });
  const { image, isCurrent } = await publish('second');
  expect([isCurrent, await ordered()]).toEqual([true, image.id]);
});

it('a build that was the current one before is so again', async () => {
  await addHosts();
  const { image: first } = await publish('first');
  await publish('second');
  expect(await publish('first')).toMatchObject({ isCurrent: true, image: { id: first.id } });
  expect(await ordered()).toBe(first.id);
});

it('the newest build is the current one where there is no host yet', async () => {
  await publish('first');
  const { image } = await publish('second');
  expect(await ordered()).toBe(image.id);
});
