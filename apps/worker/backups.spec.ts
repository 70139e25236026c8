import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { Image, ImagesService } from '#libs/images';
import { FindingsService } from '#libs/placement';
import { runToEnd } from '#libs/saga/harness';
import {
  Action,
  BackupsService,
  diskVolumeName,
  OverdueBackups,
  Server,
  SnapshotsService,
} from '#libs/servers';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
let server: Server;
let backups: BackupsService;
let snapshots: SnapshotsService;

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  for (const component of ['snapshot', 'backup'] as const) {
    const price = { item: `${component}/gib` as const, hourlyMicro: 1000, title: component };
    await firstPrice(world.dataSource.manager, price);
  }
  backups = new BackupsService(world.dataSource, world.commands);
  snapshots = new SnapshotsService(world.dataSource);
});

afterAll(async () => {
  await world?.close();
  await destroyServerWorld(address);
});

beforeEach(async () => {
  server = await standingServer(world, 'running');
});

const reload = () => world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });

const guest = async () => {
  const volume = diskVolumeName(await reload());
  return world.fleet.volumes('kvm-1').find(({ name }) => name === volume)?.guest;
};

function images(type: 'snapshot' | 'backup'): Promise<Image[]> {
  return world.dataSource.getRepository(Image).find({
    where: { serverId: server.id, type, status: 'available' },
    order: { createdAt: 'ASC', id: 'ASC' },
  });
}

const living = async (type: 'snapshot' | 'backup') =>
  (await images(type)).filter(({ deletedAt }) => deletedAt === null).map(({ id }) => id);

/** What is billed of images, by image. */
async function billed(): Promise<Record<string, string>> {
  const rows = await world.dataSource.query<{ id: number; component: string }[]>(
    `SELECT server_id AS id, component FROM usage_spans
     WHERE component IN ('snapshot', 'backup') AND closed_at IS NULL ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ id, component }) => [id, component]));
}

const makeDue = () =>
  world.dataSource.query(
    `UPDATE backup_plans SET next_due_at = now() - interval '30 hours' WHERE server_id = $1`,
    [server.id],
  );

async function running(): Promise<Action[]> {
  return world.dataSource.getRepository(Action).findBy({ serverId: server.id, status: 'running' });
}

async function backUp(): Promise<number> {
  await makeDue();
  const started = await backups.startDue();
  for (const action of await running()) await finish(world, action);
  return started;
}

it('makes a backup that is due once, whoever looks and whatever was missed, and keeps the newest', async () => {
  const { projectId, id } = server;
  await backups.enable(projectId, id, { keep: 2 });
  expect(await backups.startDue()).toBe(0);
  await makeDue();
  const asked = await Promise.all([backups.startDue(), backups.startDue(), backups.startDue()]);
  expect(asked.toSorted()).toEqual([0, 0, 1]);
  await makeDue();
  expect(await backups.startDue()).toBe(0);
  for (const action of await running()) await finish(world, action);
  expect([await backUp(), await backUp(), await backUp()]).toEqual([1, 1, 1]);
  const all = await images('backup');
  expect(all.map(({ madeBy }) => madeBy)).toEqual(Array(4).fill('plan'));
  const newest = all.slice(-2).map((image) => image.id);
  expect(await living('backup')).toEqual(newest);
  expect(await billed()).toEqual(Object.fromEntries(newest.map((one) => [one, 'backup'])));
  await assertSound(world);

  const [kept = 0] = newest;
  await snapshots.change(projectId, kept, { type: 'snapshot' });
  expect((await billed())[kept]).toBe('snapshot');
  await backups.disable(projectId, id);
  expect([await living('backup'), await living('snapshot')]).toEqual([[], [kept]]);
  await snapshots.delete(projectId, kept);
  expect(await billed()).toEqual({});
});

it('tries a backup again within the hour that came to nothing', async () => {
  await backups.enable(server.projectId, server.id, {});
  await makeDue();
  await backups.startDue();
  const [action] = await running();
  const fault = { step: 'freeze-disk', direction: 'do', moment: 'before', kind: 'permanent' } as const;
  const { state } = await runToEnd(world, 'create-image', Number(action?.sagaId), [fault]);
  const [row] = await world.dataSource.query<[{ soon: boolean }]>(
    `SELECT next_due_at BETWEEN now() AND now() + interval '1 hour' AS soon FROM backup_plans`,
  );
  expect([state, row.soon]).toEqual(['undone', true]);
  await backups.disable(server.projectId, server.id);
});

describe('a backup that is not made', () => {
  const noneFor = (hours: number) =>
    world.dataSource.query(
      'UPDATE backup_plans SET none_since = now() - make_interval(hours => $2) WHERE server_id = $1',
      [server.id, hours],
    );

  /** What the operator reads after a look, and how many mails its owner has. */
  async function told(): Promise<{ findings: unknown[]; mails: number }> {
    const findings = new FindingsService(world.dataSource);
    await new OverdueBackups(world.dataSource, findings).tell();
    const { items } = await findings.list();
    const [mails] = await world.dataSource.query<[{ count: number }]>(
      `SELECT count(*)::int FROM mails WHERE template = 'backup-overdue' AND data ->> 'serverId' = $1`,
      [String(server.id)],
    );
    const open = items.filter(({ kind }) => kind === 'backup_overdue');
    return { findings: open.map(({ subject }) => subject), mails: mails.count };
  }

  const quiet = { findings: [], mails: 0 };

  beforeEach(async () => {
    await world.dataSource.query('DELETE FROM mails');
    await backups.enable(server.projectId, server.id, {});
  });

  afterEach(async () => {
    await backups.disable(server.projectId, server.id);
    expect((await told()).findings).toEqual([]);
  });

  it('is told to the operator for as long as there is none, and to its owner once', async () => {
    await noneFor(49);
    const loud = { findings: [`server ${server.id}`], mails: 1 };
    expect([await told(), await told()]).toEqual([loud, loud]);
    expect(await backUp()).toBe(1);
    expect(await told()).toEqual({ findings: [], mails: 1 });
  });

  it('is told with what the last try came to', async () => {
    await makeDue();
    await backups.startDue();
    await noneFor(49);
    expect(await told()).toEqual(quiet);
    const [action] = await running();
    const fault = { step: 'freeze-disk', direction: 'do', moment: 'before', kind: 'permanent' } as const;
    await runToEnd(world, 'create-image', Number(action?.sagaId), [fault]);
    expect((await told()).mails).toBe(1);
    const [mail] = await world.dataSource.query<[{ data: object }]>(
      `SELECT data FROM mails WHERE template = 'backup-overdue' ORDER BY id DESC LIMIT 1`,
    );
    const failed = await world.dataSource.getRepository(Action).findOneByOrFail({ id: action?.id ?? 0 });
    expect(mail.data).toMatchObject({ serverId: server.id, reason: failed.errorMessage });
    expect(failed.errorMessage).toBeTruthy();
  });

  it('is not late before a day has passed over its time, a week’s plan after eight, and a changed one anew', async () => {
    await noneFor(47);
    expect(await told()).toEqual(quiet);
    await backups.enable(server.projectId, server.id, { weekday: 3 });
    await noneFor(7 * 24 + 23);
    expect(await told()).toEqual(quiet);
    await backups.enable(server.projectId, server.id, { weekday: null });
    expect(await told()).toEqual(quiet);
    await backups.enable(server.projectId, server.id, { weekday: 3 });
    await noneFor(8 * 24 + 1);
    expect((await told()).mails).toBe(1);
  });

  it('is nobody’s who is suspended, or was until today', async () => {
    const suspended = async (lifted: string) => {
      await world.dataSource.query('DELETE FROM account_suspensions');
      await world.dataSource.query(
        `INSERT INTO account_suspensions (id, account_id, reason, since, lifted_at)
         VALUES (1, $1, 'abuse', now() - interval '9 days', ${lifted})`,
        [server.accountId],
      );
      await noneFor(49);
    };
    for (const lifted of ['NULL', `now() - interval '23 hours'`]) {
      await suspended(lifted);
      expect(await told()).toEqual(quiet);
    }
    await suspended(`now() - interval '25 hours'`);
    expect((await told()).mails).toBe(1);
    await world.dataSource.query('DELETE FROM account_suspensions');
  });
});

it('rolls a server back to what it was before a rebuild, and forward again within a day', async () => {
  const { commands, dataSource } = world;
  const { projectId, id } = server;
  const before = { ...(await reload()), guest: await guest() };
  const made = await commands.createImage(projectId, id, { description: 'before', labels: {} });
  await finish(world, made.action);
  const mail = await dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
  await finish(world, (await commands.rebuild(projectId, id, mail, 'reveal')).action);
  const rebuilt = { ...(await reload()), guest: await guest() };
  expect(rebuilt.hostKey).not.toBe(before.hostKey);

  const resolve = (image: number) => new ImagesService(dataSource).resolve(image, projectId);
  await finish(world, await commands.rollBack(projectId, id, await resolve(made.imageId)));
  await assertSound(world);
  expect({ ...(await reload()), guest: await guest() }).toMatchObject({
    hostKey: before.hostKey,
    imageId: before.imageId,
    ipv4: before.ipv4,
    guest: before.guest,
  });
  await expect(commands.revealPassword(projectId, id)).rejects.toMatchObject({
    code: 'credentials_not_there',
  });

  const kept = (await images('snapshot')).find(({ madeBy }) => madeBy === 'roll_back');
  expect(kept?.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  await finish(world, await commands.powerOff(projectId, id));
  await finish(world, await commands.rollBack(projectId, id, await resolve(kept?.id ?? 0)));
  await assertSound(world);
  expect({ ...(await reload()), guest: await guest() }).toMatchObject({
    observed: 'off',
    hostKey: rebuilt.hostKey,
    imageId: mail.id,
    guest: rebuilt.guest,
  });
  expect(await billed()).toEqual({ [made.imageId]: 'snapshot' });

  expect(await snapshots.removeExpired()).toBe(0);
  await dataSource.query(
    `UPDATE images SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL`,
  );
  expect(await snapshots.removeExpired()).toBe(2);
  expect(await living('snapshot')).toEqual([made.imageId]);
});

it('deletes the backups of a server with it, and keeps its snapshots', async () => {
  const { projectId, id } = server;
  await backups.enable(projectId, id, {});
  await backUp();
  const kept = await living('snapshot');
  await finish(world, await world.commands.delete(projectId, id));
  expect([await living('backup'), await living('snapshot')]).toEqual([[], kept]);
  expect(await backups.startDue()).toBe(0);
  await assertSound(world);
});
