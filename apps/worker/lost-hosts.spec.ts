import { randomUUID } from 'node:crypto';
import { PinoLogger } from 'nestjs-pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AccountsService } from '#libs/accounts';
import { firstPrice } from '#libs/billing';
import { ServerType } from '#libs/catalog';
import { runInTransaction } from '#libs/database';
import { assertGone, LostHosts, loseHost } from '#libs/fleet';
import { templates } from '#libs/mail';
import { FindingsService, type Host, HostsService, markLost } from '#libs/placement';
import type { SagaQueue } from '#libs/queue';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { BackupsService, Server } from '#libs/servers';
import {
  askForVolume,
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  order,
  placeOn,
  type ServerWorld,
  standingServer,
  standingVolume,
  suspend,
} from '#libs/workflows/harness';

import { Reconciler } from './reconciler/reconciler.ts';

const [DEAD, OTHER] = ['kvm-1', 'kvm-2'];
/** The harness sweeps by itself. */
const queue = { poke: async () => {} } as unknown as SagaQueue;
const CUSTOMER = 'customer@example.test';

let address: WorldAddress;
let world: ServerWorld;
let hosts: HostsService;
let lost: LostHosts;
let reconciler: Reconciler;

/** Each test has a world with two hosts, the second of which gets no servers yet. */
beforeEach(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  const { dataSource, hypervisor, access, findings } = world.deps;
  hosts = new HostsService(dataSource);
  lost = new LostHosts(dataSource, world.store, queue, new FindingsService(dataSource));
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  reconciler = new Reconciler(dataSource, hypervisor, access, hosts, findings, log);
  for (const component of ['snapshot', 'backup', 'volume'] as const) {
    const price = { item: `${component}/gib` as const, hourlyMicro: 1000, title: component };
    await firstPrice(dataSource.manager, price).catch(() => {});
  }
  const { id: _id, usedVcpus: _v, usedMemoryMib: _m, usedDiskGib: _d, ...known } = await theHost();
  const { hostUuid } = world.fleet.addHost(OTHER, { hostUuid: randomUUID() });
  for (const image of world.fleet.volumes(DEAD)) world.fleet.putVolume(OTHER, image);
  const { uri, name } = world.fleet.hostRef(OTHER, 0);
  const { id } = await hosts.save(dataSource.manager, { ...known, hostUuid, uri, name });
  await dataSource.query('INSERT INTO host_images (host_id, image_id) SELECT $1, id FROM images', [id]);
  await placeOn(world, DEAD);
});

afterEach(async () => {
  await world.close();
  await destroyServerWorld(address);
});

const theHost = () => hosts.getByName(DEAD);
const reload = (id: number) => world.dataSource.getRepository(Server).findOneByOrFail({ id });
const sagaOf = async (action: { readonly sagaId: number | null }) => world.store.get(Number(action.sagaId));

async function ordered(): Promise<Server> {
  const { action, server } = await order(world);
  await finish(world, action);
  return reload(server.id);
}

async function dies(): Promise<void> {
  world.fleet.change(DEAD, { unreachable: true });
  await reconciler.run();
}

async function isLost(): Promise<boolean> {
  const host = await theHost();
  return runInTransaction(world.dataSource, (manager) => loseHost(manager, host));
}

/** What the worker does until nothing is left to do. */
async function settle(): Promise<void> {
  for (;;) {
    await lost.clear();
    const [next] = await world.dataSource.query<{ id: number; name: string }[]>(
      `SELECT id, name FROM sagas WHERE finished_at IS NULL AND (state <> 'stuck' OR wake_at <= now()) ORDER BY seq LIMIT 1`,
    );
    if (!next) return;
    await runToEnd(world, next.name, next.id, []);
  }
}

function count(sql: string): Promise<number> {
  return world.dataSource
    .query<[{ count: number }]>(`SELECT count(*)::int AS count FROM ${sql}`)
    .then(([row]) => row.count);
}

const mails = () =>
  world.dataSource.query<{ recipient: string; data: never }[]>(
    `SELECT recipient, data FROM mails WHERE template = 'host-lost' ORDER BY recipient`,
  );

it('all that was on a host that is lost goes, and nothing else', async () => {
  const server = await standingServer(world, 'running');
  const { projectId } = server;
  await new BackupsService(world.dataSource, world.commands).enable(projectId, server.id, {});
  for (const type of ['snapshot', 'backup'] as const) {
    const wanted = { type, description: `my ${type}`, labels: {} };
    await finish(world, (await world.commands.createImage(projectId, server.id, wanted)).action);
  }
  const attached = await standingVolume(world, server);
  const others = await new AccountsService(world.dataSource).signUp({
    email: 'another@example.test',
    password: 'correct horse battery',
  });
  const free = await standingVolume(world);
  await world.dataSource.query('UPDATE volumes SET account_id = $2, project_id = $3 WHERE id = $1', [
    free.id,
    others.account.id,
    others.project.id,
  ]);
  const kept = await ordered();
  await world.dataSource.query('UPDATE servers SET is_delete_protected = true WHERE id = $1', [kept.id]);
  const unwanted = await ordered();
  await placeOn(world, OTHER);
  const elsewhere = await ordered();
  await placeOn(world, DEAD);
  const half = await order(world);

  world.fleet.change(DEAD, { unreachable: true });
  const deletion = await world.commands.delete(projectId, unwanted.id);
  for (const action of [deletion, half.action]) {
    const { id, name } = await sagaOf(action);
    expect(await runToEnd(world, name, id, [])).toMatchObject({ state: 'stuck' });
  }
  const making = await askForVolume(world);
  await reconciler.run();
  expect(await assertGone(world.dataSource, world.deps.hypervisor, await theHost())).toBeInstanceOf(Date);

  expect(await isLost()).toBe(true);
  expect(await mails()).toMatchObject([
    { recipient: 'another@example.test', data: { servers: [], volumes: [free.name] } },
    {
      recipient: CUSTOMER,
      data: {
        servers: [server.name, kept.name, (await reload(half.server.id)).name].sort(),
        volumes: [attached.name, making.volume.name].sort(),
        images: ['my backup', 'my snapshot'],
      },
    },
  ]);
  await settle();

  const { id: hostId } = await theHost();
  expect(await count(`servers WHERE deleted_at IS NULL AND id <> ${elsewhere.id}`)).toBe(0);
  expect(await count('volumes WHERE deleted_at IS NULL')).toBe(0);
  expect(await count('images WHERE project_id IS NOT NULL AND deleted_at IS NULL')).toBe(0);
  expect(await count(`reservations WHERE host_id = ${hostId}`)).toBe(0);
  expect(await count(`addresses WHERE server_id IS NOT NULL AND server_id <> ${elsewhere.id}`)).toBe(0);
  expect(await count(`usage_spans WHERE closed_at IS NULL AND server_id <> ${elsewhere.id}`)).toBe(0);
  expect(await count('findings WHERE resolved_at IS NULL AND host_id IS NOT NULL')).toBe(0);
  expect(await reload(elsewhere.id)).toEqual(elsewhere);

  const sagas = await count('sagas');
  expect(await isLost()).toBe(false);
  await settle();
  expect([await count('sagas'), (await mails()).length]).toEqual([sagas, 2]);

  await hosts.remove(hostId);
  world.fleet.change(DEAD, { unreachable: false });
  await comesBack();
  await reconciler.run();
  const domains = await world.dataSource.query(
    `SELECT details ->> 'removed' AS removed FROM findings WHERE kind = 'orphan_domain' AND resolved_at IS NULL`,
  );
  expect(domains).toEqual(Array(3).fill({ removed: 'true' }));
  // A disk goes when none stands on it any more.
  for (let layer = 3; layer > 0; layer -= 1) await reconciler.run();
  await finish(world, await world.commands.delete(projectId, elsewhere.id));
  // By which other hosts of a world have nothing.
  for (const { pool, name } of world.fleet.volumes(OTHER)) world.fleet.removeVolume(OTHER, pool, name);
  await assertSound(world);
});

/** Its machine runs again, with all that was on it, and is added as a new host. */
async function comesBack(): Promise<void> {
  const {
    id: _id,
    usedVcpus: _v,
    usedMemoryMib: _m,
    usedDiskGib: _d,
    ...known
  } = await hosts.getByName(OTHER);
  const { uri, name } = world.fleet.hostRef(DEAD, 0);
  const { hostUuid } = world.fleet.host(DEAD);
  await hosts.save(world.dataSource.manager, { ...known, hostUuid, uri, name });
}

it('a server goes that is kept while its account is suspended for abuse', async () => {
  const server = await standingServer(world, 'running');
  await dies();
  await suspend(world, server, 'abuse');
  await isLost();
  await settle();
  expect(await reload(server.id)).toMatchObject({ desired: 'deleted', deletedAt: expect.any(Date) });
  await hosts.remove((await theHost()).id);
});

it('what is past its point of no return is given up, for the deletion waits behind it', async () => {
  const server = await standingServer(world, 'running');
  const type = await world.dataSource.getRepository(ServerType).findOneByOrFail({ name: 's2' });
  const change = { type, upgradesDisk: true, restarts: true };
  const action = await world.types.change(server.projectId, server.id, change);
  for (let left = 12; left > 0; left -= 1) {
    world.fleet.failNext(DEAD, 'growVolume', { when: 'before', with: 'host_unreachable' });
  }
  expect(await runToEnd(world, 'change-type', Number(action.sagaId), [])).toMatchObject({ state: 'stuck' });
  await dies();
  await isLost();
  await settle();
  expect(await sagaOf(action)).toMatchObject({ state: 'undone', error: { code: 'given_up' } });
  expect(await reload(server.id)).toMatchObject({ deletedAt: expect.any(Date) });
});

it('an order that waited for the host gets another one', async () => {
  const { action, server } = await order(world);
  await placeOn(world, OTHER);
  await markLost(world.dataSource.manager, (await theHost()).id);
  await finish(world, action);
  expect(await reload(server.id)).toMatchObject({ hostId: (await hosts.getByName(OTHER)).id });
});

it('a host that answers, or that the worker has not missed, or whose storage others show, is not lost', async () => {
  const why = async () => {
    const host = await theHost();
    return assertGone(world.dataSource, world.deps.hypervisor, host).catch((error: Error) => error.message);
  };
  expect(await why()).toContain('kvm-1 answers');
  world.fleet.change(DEAD, { unreachable: true });
  expect(await why()).toContain('has not found kvm-1 unreachable');
  await reconciler.run();
  expect(await why()).toBeInstanceOf(Date);
  await world.dataSource.query(
    `UPDATE hosts SET storage_id = $1, disk_pool_path = '/a', image_pool_path = '/b'`,
    [randomUUID()],
  );
  expect(await why()).toContain('one with that of kvm-2');
});

it('a lost host is nobody’s to look at, to use or to add again', async () => {
  await dies();
  await isLost();
  world.fleet.change(DEAD, { unreachable: false });
  const host: Host = await theHost();
  for (const state of ['active', 'draining'] as const) {
    await expect(hosts.setState(host.id, state)).rejects.toMatchObject({ code: 'host_lost' });
  }
  await expect(comesBack()).rejects.toMatchObject({ code: 'host_lost' });
  await reconciler.run();
  expect(await theHost()).toMatchObject({ state: 'lost', lastSeenAt: host.lastSeenAt });
});

it('the mail names what is lost, and what is left elsewhere', () => {
  const context = { siteUrl: 'https://cloud.example.org', open: () => '' };
  const data = {
    servers: ['web-1', 'web-2'],
    volumes: [],
    images: ['before'],
    kept: ['export of web-1, until 2027-01-02'],
  };
  const { subject, text } = templates['host-lost'](data, context);
  expect(subject).toBe('Servers of yours are lost');
  expect(text).toMatch(
    /Servers +web-1, web-2\n.*Snapshots and backups +before\n.*Still there +export of web-1/,
  );
  expect(text).not.toContain('Volumes');
  expect(templates['host-lost']({ ...data, servers: [], kept: [] }, context).text).toContain(
    'no copy of it elsewhere',
  );
});
