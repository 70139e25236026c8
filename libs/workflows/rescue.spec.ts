import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ServerType } from '#libs/catalog';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import type { WorldAddress } from '#libs/saga/harness';
import { BackupsService, Rescue, rescueSeedName, rescueVolumeName, Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  lift,
  type ServerWorld,
  settle,
  standingServer,
  standingVolume,
  suspend,
} from './harness/index.ts';
import { leavingScenario, scenarios } from './rescue.scenario.ts';

const module = new URL('./rescue.scenario.ts', import.meta.url).href;
for (const scenario of [...scenarios, leavingScenario]) describeSaga(scenario, module);

describe('a server in its rescue system', () => {
  let address: WorldAddress;
  let world: ServerWorld;
  let server: Server;
  beforeAll(async () => {
    address = await createServerWorld();
    world = await attachToServerWorld(address);
  });
  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });
  beforeEach(async () => {
    server = await standingServer(world, 'running');
  });

  const enable = async (keys: string[] = []) => {
    const { action, rootPassword } = await world.rescues.enable(server.projectId, server.id, keys);
    await finish(world, action);
    return rootPassword;
  };
  const enter = async () => {
    await enable();
    await finish(world, await world.commands.reset(server.projectId, server.id));
  };
  const press = async (button: 'powerOn' | 'powerOff' | 'reset' | 'reboot') =>
    finish(world, await world.commands[button](server.projectId, server.id));
  const host = () => world.fleet.hostNames()[0] ?? '';
  const domain = () => world.fleet.domain(host(), server.domainUuid);
  const newest = async () =>
    world.dataSource
      .getRepository(Rescue)
      .findOneOrFail({ where: { serverId: server.id }, order: { createdAt: 'DESC' } });
  const seenHostKey = async () => {
    const row = await world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
    return world.deps.reach.readSshHostKey(world.fleet.hostRef(host(), 1), row.ipv4 ?? '', 22);
  };

  it('has a password only where it has no key, and is known by a host key of its own', async () => {
    expect(await enable(['ssh-ed25519 AAAA me'])).toBeNull();
    const seed = () =>
      newest().then((rescue) => world.fleet.volume(host(), 'servery-disks', rescueSeedName(rescue))?.seed);
    expect((await seed())?.['meta-data']).toContain('ssh-ed25519 AAAA me');
    expect((await seed())?.['user-data']).not.toContain('hashed_passwd');
    expect(await enable()).toMatch(/^\w{24}$/);
    expect((await seed())?.['user-data']).toContain('hashed_passwd');
    await press('reset');
    const rescue = await newest();
    expect(await seenHostKey()).toBe(rescue.hostKey);
    expect(rescue.hostKey).not.toBe(server.hostKey);
    expect(domain()?.rescue).toEqual({ diskVolume: rescueVolumeName(rescue) });
    expect(await seed()).toBeUndefined();
    await press('reset');
    expect(await seenHostKey()).toBe(server.hostKey);
    await assertSound(world);
  });

  it('is entered by a power on as well, and left by one, but not by what does not boot it', async () => {
    await enable();
    await press('powerOn');
    expect(domain()?.rescue).toBeUndefined();
    await press('powerOff');
    await press('powerOn');
    expect(domain()?.rescue).toBeDefined();
    await press('powerOff');
    await assertSound(world);
    await press('powerOn');
    expect(domain()?.rescue).toBeUndefined();
    await assertSound(world);
  });

  it('stays in one that is asked for anew, at the next boot', async () => {
    await enter();
    const first = await newest();
    await enable();
    await press('reboot');
    const second = await newest();
    expect(domain()?.rescue).toEqual({ diskVolume: rescueVolumeName(second) });
    expect(second.id).not.toBe(first.id);
    await assertSound(world);
    await press('reset');
    await assertSound(world);
  });

  it('is refused what would work on its own system', async () => {
    await enter();
    const { commands, exports, clones, rehearsals, types, dataSource } = world;
    const { projectId, id } = server;
    const image = await dataSource.getRepository(Image).findOneByOrFail({ name: 'mail' });
    const type = await dataSource.getRepository(ServerType).findOneByOrFail({ name: 's2' });
    const wanted = { description: null, labels: {} };
    const asked = { projectId, currency: 'eur' as const };
    const tries = [
      commands.createImage(projectId, id, wanted),
      commands.rebuild(projectId, id, image, 'reveal'),
      commands.rollBack(projectId, id, image),
      commands.resetPassword(projectId, id, 'reveal'),
      commands.openNetwork(projectId, id),
      types.change(projectId, id, { type, upgradesDisk: false, restarts: true }),
      exports.ofServer(projectId, id, 'qcow2'),
      clones.clone({
        ...{ ...asked, serverId: newId(), originalId: id, name: 'copy', labels: {}, kind: 'safe' },
        ...{ network: 'isolated', holdsTimers: false, startAfterCreate: true },
      }),
      rehearsals.rehearse({
        ...{ ...asked, id: newId(), serverId: id, script: 'true', healthChecks: undefined },
        ...{ timeoutSeconds: 60, keepCloneHours: 0 },
      }),
    ];
    for (const outcome of await Promise.allSettled(tries)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'server_in_rescue' } });
    }
    await press('reset');
    await assertSound(world);
  });

  it('gets volumes, and its backup when it is back', async () => {
    const { projectId, id } = server;
    const backups = new BackupsService(world.dataSource, world.commands);
    await backups.enable(projectId, id, {});
    await world.dataSource.query('UPDATE backup_plans SET next_due_at = now()');
    await enter();
    const volume = await standingVolume(world, server);
    expect(domain()?.volumes).toHaveLength(1);
    await assertSound(world);
    expect(await backups.startDue()).toBe(0);
    await press('reset');
    expect(await backups.startDue()).toBe(1);
    const [saga] = await world.store.list({ subject: { type: 'server', id }, limit: 1 });
    await finish(world, { sagaId: saga?.id } as never);
    await backups.disable(projectId, id);
    await finish(world, await world.volumes.detach(projectId, volume.id));
    await world.volumes.delete(projectId, volume.id);
    const [deletion] = await world.store.list({ subject: { type: 'volume', id: volume.id }, limit: 1 });
    await finish(world, { sagaId: deletion?.id } as never);
  });

  it('is given back in it after a suspension', async () => {
    await enter();
    await suspend(world, server, 'billing');
    await settle(world);
    expect(domain()?.state).toBe('off');
    await lift(world, server, 'billing');
    await settle(world);
    expect(domain()).toMatchObject({ state: 'running', network: 'open' });
    expect(await seenHostKey()).toBe((await newest()).hostKey);
    await press('reset');
    await assertSound(world);
  });

  it('goes back by itself where nobody boots it in time', async () => {
    await enable();
    await world.dataSource.query(
      "UPDATE rescues SET expires_at = now() - interval '1 second' WHERE ended_at IS NULL",
    );
    await press('reset');
    expect(domain()?.rescue).toBeUndefined();
    expect(await world.rescues.expire()).toBe(1);
    expect(await world.rescues.expire()).toBe(0);
    const [saga] = await world.store.list({ subject: { type: 'server', id: server.id }, limit: 1 });
    await finish(world, { sagaId: saga?.id } as never);
    await assertSound(world);
    expect(await newest()).toMatchObject({ removedAt: expect.any(Date), bootedAt: null });
  });

  it('is deleted with all that it has', async () => {
    await enter();
    await enable();
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await assertSound(world);
  });
});
