import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import type { GuestFault } from '#libs/hypervisor/simulated';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { ImageChanges } from '#libs/orders';
import type { SagaRecord } from '#libs/saga';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { Action, diskVolumeName, Server, ServersService, seedVolumeName } from '#libs/servers';
import { assertSound } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, order, placedHost, standingServer } from './harness/standing-server.ts';
import { lift, settle, suspend, suspensionsOf } from './harness/suspending.ts';

const HOST = 'kvm-1';

let address: WorldAddress;
let world: ServerWorld;
let server: Server;
beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  await world.dataSource.query(
    `UPDATE images SET appliance = appliance || '{"runsFirstBoot": true}' WHERE name = 'mail'`,
  );
});
beforeEach(async () => {
  server = await standingServer(world, 'running');
});
afterEach(async () => {
  world.fleet.change(HOST, { guestFault: null, unreachable: false });
  await assertSound(world);
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

const reload = () => world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
const domain = () => world.fleet.domain(HOST, server.domainUuid);
const guestOf = (of: Server) =>
  world.fleet.volumes(HOST).find(({ name }) => name === diskVolumeName(of))?.guest;
/** What is kept of its password, and whether it was shown. */
const passwordOf = ({ id }: Server) =>
  world.dataSource.query<unknown[]>(
    `SELECT sealed, created_at, expires_at, revealed_at FROM server_secrets
     WHERE server_id = $1 AND kind = 'root_password'`,
    [id],
  );
const images = () => world.dataSource.getRepository(Image);

async function rebuild(name: string): Promise<Action> {
  const image = await images().findOneByOrFail({ name });
  return (await world.commands.rebuild(server.projectId, server.id, image, 'reveal')).action;
}

/** How a rebuild ends while all guests have a fault; `atStep`: what happens while it is at a step. */
async function endWith(
  action: Action,
  guestFault: GuestFault | null,
  atStep: Readonly<Record<string, () => Promise<unknown>>> = {},
): Promise<SagaRecord> {
  world.fleet.change(HOST, { guestFault });
  const sagaId = Number(action.sagaId);
  const ending = runToEnd(world, 'rebuild-server', sagaId, [], { operator: 'gives up' });
  for (const [step, happens] of Object.entries(atStep)) {
    await expect.poll(async () => (await world.store.get(sagaId)).step, { timeout: 60_000 }).toBe(step);
    await happens();
  }
  const ended = await ending;
  world.fleet.change(HOST, { guestFault: null });
  return ended;
}

/** The wait of a saga has been waiting for longer than it may. */
const tooLong = (action: Action) => () =>
  world.dataSource.query(
    `UPDATE sagas SET step_started_at = step_started_at - interval '1 hour' WHERE id = $1`,
    [action.sagaId],
  );

describe('a rebuild whose new system does not work', () => {
  it('leaves the server as it was when its first boot script fails, and says what that has printed last', async () => {
    const { secrets, dataSource } = world.deps;
    const password = await secrets.read(dataSource.manager, server.id, 'root_password');
    const before = { row: await reload(), guest: guestOf(server), password: await passwordOf(server) };
    const action = await rebuild('mail');
    const words = 'the first boot script of the image ended with 3: there is no shop';
    expect(await endWith(action, 'first_boot_fails')).toMatchObject({ state: 'undone' });
    expect(await world.dataSource.getRepository(Action).findOneByOrFail({ id: action.id })).toMatchObject({
      status: 'error',
      errorCode: 'first_boot_script_failed',
      errorMessage: words,
    });
    expect(await reload()).toEqual(before.row);
    expect(guestOf(server)).toEqual(before.guest);
    expect(domain()).toMatchObject({ state: 'running', diskVolume: diskVolumeName(server) });
    expect(await passwordOf(server)).toEqual(before.password);
    expect(await world.commands.revealPassword(server.projectId, server.id)).toBe(password);
  });

  it.each([
    ['web', 'http_500', 'healthy', 'Checking its health: not there after 900 seconds'],
    ['web', 'wrong_host_key', 'ssh-verified', 'Checking its SSH identity: not there after 900 seconds'],
    ['mail', 'agent_silent', 'agent-answers', 'Booting: not there after 900 seconds'],
  ] as const)('goes back to the old one at the deadline: %s with %s', async (name, fault, step, message) => {
    const before = await reload();
    const action = await rebuild(name);
    const ended = await endWith(action, fault, { [step]: tooLong(action) });
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'deadline_exceeded', message, step } });
    expect(await reload()).toEqual(before);
  });

  it('goes back at once when the new guest goes off by itself', async () => {
    const before = await reload();
    const host = await placedHost(world);
    const off = () => world.deps.hypervisor.destroyDomain(host, server.domainUuid);
    const ended = await endWith(await rebuild('mail'), 'agent_silent', { 'agent-answers': off });
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'domain_died' } });
    expect(await reload()).toEqual(before);
  });

  it('shows what the server does also where its host does not answer at once in the end', async () => {
    const before = await reload();
    world.fleet.failNext(HOST, 'createOverlay', { when: 'before', with: 'image_missing' });
    world.fleet.failNext(HOST, 'domainState', { when: 'before', with: 'host_unreachable' });
    const ended = await endWith(await rebuild('mail'), null);
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'image_missing' } });
    expect(await reload()).toEqual(before);
  });

  it('leaves a server off that was off', async () => {
    await finish(world, await world.commands.powerOff(server.projectId, server.id));
    const before = await reload();
    const ended = await endWith(await rebuild('mail'), 'first_boot_fails');
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'first_boot_script_failed' } });
    expect(await reload()).toEqual(before);
    expect(before).toMatchObject({ observed: 'off', desired: 'off' });
    await finish(world, await world.commands.powerOn(server.projectId, server.id));
  });

  it('may be asked for again, and has a new system with a new password once that works', async () => {
    await endWith(await rebuild('mail'), 'first_boot_fails');
    await finish(world, await rebuild('mail'));
    const mail = await images().findOneByOrFail({ name: 'mail' });
    const rebuilt = await reload();
    expect(rebuilt).toMatchObject({
      ...{ imageId: mail.id, generation: server.generation + 1, observed: 'running' },
      hostKey: guestOf(rebuilt)?.hostKey,
    });
    expect(await world.commands.revealPassword(server.projectId, server.id)).toMatch(/^\w{24}$/);
    await finish(world, await rebuild('web'));
  });

  it('as an older release has asked for it, starts the server again and shows no password that it has not', async () => {
    const before = await reload();
    const action = await rebuild('mail');
    const { manager } = world.dataSource;
    await manager.query(`UPDATE sagas SET params = params - '{power,delivery}'::text[] WHERE id = $1`, [
      action.sagaId,
    ]);
    await world.deps.secrets.put(manager, server.id, 'root_password', 'of the new system');
    await endWith(action, 'first_boot_fails');
    expect(await reload()).toEqual(before);
    expect(await passwordOf(server)).toEqual([]);
  });
});

describe('a rebuild that an older release has begun', () => {
  /** As it was asked for then, and came to its first step: what is first now was not there. */
  async function begunBefore(): Promise<Action> {
    const action = await rebuild('mail');
    const { manager } = world.dataSource;
    await manager.query(
      `UPDATE sagas SET params = params - '{power,delivery}'::text[], step = 'clone-disk', tries = 1 WHERE id = $1`,
      [action.sagaId],
    );
    await world.deps.secrets.put(manager, server.id, 'root_password', 'of the new system');
    return action;
  }

  it('goes on from the step at which it stands', async () => {
    await finish(world, await begunBefore());
    const mail = await images().findOneByOrFail({ name: 'mail' });
    const rebuilt = await reload();
    expect(rebuilt).toMatchObject({ imageId: mail.id, hostKey: guestOf(rebuilt)?.hostKey });
    expect(await world.commands.revealPassword(server.projectId, server.id)).toBe('of the new system');
    await finish(world, await rebuild('web'));
  });

  it('leaves the server as it was where the new system does not work', async () => {
    const before = await reload();
    const ended = await endWith(await begunBefore(), 'first_boot_fails');
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'first_boot_script_failed' } });
    expect(await reload()).toEqual(before);
    expect(await passwordOf(server)).toEqual([]);
  });
});

describe('the ports of a server whose rebuild was given up', () => {
  const shown = async () => (await reload()).access.map(({ service }) => service);
  const rename = (from: string, to: string) => world.dataSource.query(`ALTER TABLE ${from} RENAME TO ${to}`);

  it('are those of the image that it has since: it was given up before they were switched', async () => {
    world.fleet.failNext(HOST, 'detachSeed', { when: 'before', with: 'domain_missing' });
    expect(await endWith(await rebuild('mail'), null)).toMatchObject({ state: 'undone' });
    const left = await reload();
    expect([left.generation, await shown()]).toEqual([server.generation + 1, ['ssh', 'mail']]);
    await world.deps.hypervisor.detachSeed(await placedHost(world), server.domainUuid, seedVolumeName(left));
    await world.deps.hypervisor.deleteVolume(await placedHost(world), diskVolumeName(server));
    await assertSound(world);
    await finish(world, await rebuild('web'));
    expect(await shown()).toEqual(['ssh', 'web']);
  });

  it('are not told of while nothing can open them', async () => {
    const action = await rebuild('mail');
    const away = async () => {
      await rename('test_ports', 'ports_away');
      world.fleet.change(HOST, { guestFault: null });
    };
    const ended = await endWith(action, 'agent_silent', { 'agent-answers': away });
    expect(ended).toMatchObject({ state: 'undone' });
    await rename('ports_away', 'test_ports');
    expect(await shown()).toEqual([]);
    await world.deps.hypervisor.deleteVolume(await placedHost(world), diskVolumeName(server));
    await finish(world, await rebuild('web'));
    expect(await shown()).toEqual(['ssh', 'web']);
  });
});

describe('what comes in the middle of a rebuild', () => {
  it('may be its deletion, which takes it back and starts nothing that nobody wants any more', async () => {
    const { action } = await order(world);
    await finish(world, action);
    server = await world.dataSource.getRepository(Server).findOneByOrFail({ id: Number(action.serverId) });
    const deletion: Action[] = [];
    const deleted = async () => deletion.push(await world.commands.delete(server.projectId, server.id));
    const ended = await endWith(await rebuild('mail'), 'agent_silent', { 'agent-answers': deleted });
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'undo_requested' } });
    expect(domain()).toMatchObject({ state: 'off', diskVolume: diskVolumeName(server) });
    for (const one of deletion) await finish(world, one);
  });

  it('may be a suspension, which comes when it has been taken back, and ends with the old system running', async () => {
    const action = await rebuild('mail');
    const ended = await endWith(action, 'agent_silent', {
      'agent-answers': async () => {
        await suspend(world, server, 'billing');
        await suspensionsOf(world).align();
        await tooLong(action)();
      },
    });
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'deadline_exceeded' } });
    await settle(world);
    expect(domain()).toMatchObject({ state: 'off', network: 'closed', diskVolume: diskVolumeName(server) });
    await lift(world, server, 'billing');
    await settle(world);
    expect(await reload()).toMatchObject({ observed: 'running', generation: server.generation });
  });

  it('may be the loss of its host: given up, it is what it was, off, and starts from its disk should that come back', async () => {
    const before = await reload();
    const password = await passwordOf(server);
    const lost = async () => world.fleet.change(HOST, { unreachable: true });
    const ended = await endWith(await rebuild('mail'), 'agent_silent', { 'agent-answers': lost });
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'host_unreachable' } });
    expect(await reload()).toEqual({ ...before, observed: 'off', desired: 'off' });
    expect(await passwordOf(server)).toEqual(password);

    world.fleet.change(HOST, { unreachable: false });
    const host = await placedHost(world);
    await world.deps.hypervisor.destroyDomain(host, server.domainUuid);
    await finish(world, await world.commands.powerOn(server.projectId, server.id));
    expect(domain()).toMatchObject({ state: 'running', diskVolume: diskVolumeName(server) });
    // As the reconciler does.
    const next = { ...server, generation: server.generation + 1 };
    for (const left of [diskVolumeName(next), seedVolumeName(next)])
      await world.deps.hypervisor.deleteVolume(host, left);
  });
});

describe('what a server is billed for beside its type', () => {
  beforeAll(() =>
    firstPrice(world.dataSource.manager, { item: 'image/mail', title: 'Mail', hourlyMicro: 4000 }),
  );

  const spans = () =>
    world.dataSource.query<{ item: string; isOpen: boolean }[]>(
      `SELECT price_item AS item, closed_at IS NULL AS "isOpen" FROM usage_spans
       WHERE server_id = $1 AND component = 'image' ORDER BY id`,
      [server.id],
    );
  const open = async () => (await spans()).filter(({ isOpen }) => isOpen).map(({ item }) => item);

  async function snapshot(): Promise<Image> {
    const wanted = { description: 'as it is', labels: {} };
    const { action, imageId } = await world.commands.createImage(server.projectId, server.id, wanted);
    await finish(world, action);
    return images().findOneByOrFail({ id: imageId });
  }

  it('is the surcharge of its image from a rebuild on, and no more from the next one on', async () => {
    expect(await spans()).toEqual([]);
    await endWith(await rebuild('mail'), 'first_boot_fails');
    expect(await spans()).toEqual([]);
    const asked = new Date();
    await finish(world, await rebuild('mail'));
    const [span] = await world.dataSource.query<{ item: string; opened: Date; closed: Date | null }[]>(
      `SELECT price_item AS item, opened_at AS opened, closed_at AS closed FROM usage_spans
       WHERE server_id = $1 AND component = 'image'`,
      [server.id],
    );
    expect(span).toMatchObject({ item: 'image/mail', closed: null });
    expect(Number(span?.opened) + 1000).toBeGreaterThan(Number(asked));
    const failing = await rebuild('web');
    await endWith(failing, 'http_500', { healthy: tooLong(failing) });
    expect(await open()).toEqual(['image/mail']);
    await finish(world, await rebuild('web'));
    expect(await spans()).toEqual([{ item: 'image/mail', isOpen: false }]);
  });

  it('is not to be had by who may not order, unless it is what the server costs already', async () => {
    const { dataSource, commands } = world;
    const refuse = { assertMayOrder: () => Promise.reject(new Error('may not order')) };
    const changes = new ImageChanges(dataSource, refuse, new ServersService(dataSource), commands);
    const ask = async (name: string) =>
      changes.rebuild(server.projectId, server.id, await images().findOneByOrFail({ name }), 'reveal');
    const before = await reload();
    await expect(ask('mail')).rejects.toThrow('may not order');
    expect(await reload()).toEqual(before);
    await finish(world, (await ask('web')).action);

    await finish(world, await rebuild('mail'));
    await finish(world, (await ask('mail')).action);
    const ofMail = await snapshot();
    await finish(world, await changes.rollBack(server.projectId, server.id, ofMail));
    await finish(world, (await ask('web')).action);
    const cheaper = await reload();
    await expect(changes.rollBack(server.projectId, server.id, ofMail)).rejects.toThrow('may not order');
    expect(await reload()).toEqual(cheaper);
    expect(await open()).toEqual([]);
  });

  it('is decided anew in the transaction that asks for it: the account may have stopped paying since', async () => {
    const { dataSource, commands } = world;
    const stopsPaying = {
      assertMayOrder: async (accountId: number) => {
        await dataSource.query(
          'INSERT INTO arrears (id, account_id, since, is_hard, next_at) VALUES ($1, $2, now(), false, now())',
          [newId(), accountId],
        );
      },
    };
    const changes = new ImageChanges(dataSource, stopsPaying, new ServersService(dataSource), commands);
    const mail = await images().findOneByOrFail({ name: 'mail' });
    const asked = changes.rebuild(server.projectId, server.id, mail, 'reveal');
    await expect(asked).rejects.toMatchObject({ code: 'account_in_arrears' });
    await dataSource.query('DELETE FROM arrears');
  });

  it('is that of what a snapshot was made of, where it is rolled back to it or rebuilt from it', async () => {
    await finish(world, await rebuild('mail'));
    const ofMail = await snapshot();
    await finish(world, await rebuild('web'));
    expect(await open()).toEqual([]);
    const { projectId, id } = server;
    await finish(world, await world.commands.rollBack(projectId, id, ofMail));
    expect(await open()).toEqual(['image/mail']);
    const before = (await spans()).length;
    await finish(world, (await world.commands.rebuild(projectId, id, ofMail, 'reveal')).action);
    expect(await open()).toEqual(['image/mail']);
    expect(await spans()).toHaveLength(before);
    const [left] = await images().find({
      where: { serverId: id, madeBy: 'roll_back' },
      order: { createdAt: 'DESC' },
      take: 1,
    });
    if (!left) throw new Error('a roll back leaves an image behind');
    await finish(world, await world.commands.rollBack(projectId, id, left));
    expect(await open()).toEqual([]);
  });
});
