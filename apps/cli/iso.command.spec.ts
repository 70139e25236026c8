import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Iso } from '#libs/isos';
import { HostsService } from '#libs/placement';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { serveryCli } from '../../test/support/servery-cli.ts';

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
let folder: string;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  folder = await mkdtemp(join(tmpdir(), 'servery-isos-'));
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
  await rm(folder, { recursive: true });
});

const servery = serveryCli(() => ({
  DATABASE_URL: address.url,
  SERVERY_SIMULATED_FLEET_DIR: address.folder,
}));

/** What tells an ISO 9660 image is the mark in its seventeenth sector. */
async function isoFile(name: string, { sectors = 18, mark = 'CD001' } = {}): Promise<string> {
  const content = Buffer.alloc(sectors * 2048, name);
  content.write(mark, 16 * 2048 + 1, 'latin1');
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const onHost = () =>
  world.fleet
    .volumes('kvm-1')
    .map(({ name }) => name)
    .filter((name) => name.startsWith('iso-'));

it('servery iso add brings an image to every host, once, and list shows it', async () => {
  const path = await isoFile('netboot.iso');
  for (const _twice of [1, 2]) {
    expect(await servery('iso', 'add', 'netboot', '--file', path)).toContain(
      'netboot can be attached: 36864',
    );
  }
  expect(onHost()).toHaveLength(1);
  expect(await servery('iso', 'list')).toMatch(/^netboot +[0-9a-f]{64} netboot.iso$/m);
  await servery('iso', 'add', 'netboot', '--file', path, '--description', 'Netboot, for everything');
  expect(await servery('iso', 'list')).toContain('Netboot, for everything');
});

it('servery iso list leaves none out, however many there are', async () => {
  await world.dataSource.query(
    `INSERT INTO isos (id, name, description, volume_name, sha256, size_bytes)
     SELECT n, 'many-' || n, '', 'many.iso', repeat('c', 64), 2048 FROM generate_series(1, 60) AS n`,
  );
  expect((await servery('iso', 'list')).match(/^many-/gm)).toHaveLength(60);
  await world.dataSource.query(`DELETE FROM isos WHERE volume_name = 'many.iso'`);
});

it('refuses what is no ISO image, a name that another file has, and a name that is none', async () => {
  const add = (name: string, path: string) => servery('iso', 'add', name, '--file', path);
  await expect(add('wrong', await isoFile('wrong.iso', { mark: 'CDXX1' }))).rejects.toThrow('no ISO 9660');
  await expect(add('wrong', await isoFile('tiny.iso', { sectors: 17 }))).resolves.toContain(
    'can be attached',
  );
  await expect(add('absent', join(folder, 'absent.iso'))).rejects.toThrow('cannot be read');
  await expect(add('netboot', await isoFile('other.iso'))).rejects.toThrow('another file is registered');
  await expect(add('../x', await isoFile('other.iso'))).rejects.toThrow('letters, digits');
  await servery('iso', 'remove', 'wrong');
});

it('servery iso remove takes it from hosts and customers, when no server has it', async () => {
  const server = await standingServer(world, 'running');
  const { id } = await world.dataSource.getRepository(Iso).findOneByOrFail({ name: 'netboot' });
  await finish(world, await world.isos.attach(server.projectId, server.id, id));
  await expect(servery('iso', 'remove', 'netboot')).rejects.toThrow('1 servers have netboot');
  await finish(world, await world.isos.detach(server.projectId, server.id));
  expect(await servery('iso', 'remove', 'netboot')).toContain('netboot is gone');
  expect(onHost()).toEqual([]);
  expect(await servery('iso', 'list')).toBe('');
  await expect(servery('iso', 'remove', 'netboot')).rejects.toThrow('no ISO image netboot');
});

it('servery iso remove takes it from the hosts that answer, though a drained one does not', async () => {
  const hosts = new HostsService(world.dataSource);
  const { hostUuid } = world.fleet.addHost('kvm-0');
  const ref = world.fleet.hostRef('kvm-0', 0);
  const { id: _, ...like } = { ...(await hosts.getByName('kvm-1')), ...ref, hostUuid };
  const drained = await hosts.save(world.dataSource.manager, like);
  await servery('iso', 'add', 'drivers', '--file', await isoFile('drivers.iso'));
  await hosts.setState(drained.id, 'draining');
  world.fleet.change('kvm-0', { unreachable: true });
  expect(await servery('iso', 'remove', 'drivers')).toContain('drivers is gone');
  expect(onHost()).toEqual([]);
});
