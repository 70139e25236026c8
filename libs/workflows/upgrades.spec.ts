import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Image, ImageContentsService } from '#libs/images';
import { newId } from '#libs/kernel';
import { Cook, type Upgrade, UpgradesService } from '#libs/recipes';
import { Rehearsal } from '#libs/rehearsals';
import { type WorldAddress } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import { assertSound } from './harness/assert-sound.ts';
import { askForCook, changeRecipe, writeRecipe } from './harness/cooking.ts';
import { renewArchive } from './harness/recipes-world.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, order } from './harness/standing-server.ts';
import { outcomeOf, rehearsed, settleAll, UPGRADE } from './rehearsal.scenario.ts';

let address: WorldAddress;
let world: ServerWorld;
let recipe: Awaited<ReturnType<typeof writeRecipe>>;
/** Of version 1 with git, of version 2 with jq and a port as well, of version 3 without, and of that again. */
let [first, second, third, fourth]: Cook[] = [];
let server: Server;

const ADMIN = { name: 'Admin', port: 8443, protocol: 'https' as const };
const CHECK = { type: 'tcp' as const, port: 8443 };
const servicesOf = ({ access }: Pick<Server, 'access'>) => access.map(({ service }) => service);

beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  recipe = await writeRecipe(world, { components: ['nginx'], packages: ['git'] });
  first = await cooked('1.0');
  second = await cooked('1.1', { packages: ['git', 'jq'], ports: [ADMIN], health: [CHECK] });
  third = await cooked('1.2', { packages: ['git'] });
  fourth = await cooked('1.3');
  await finish(world, (await order(world, await imageOf(first))).action);
  server = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: idOf(first) });
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

const idOf = (cook: Cook | undefined) => Number(cook?.imageId);
const imageOf = (cook: Cook | undefined) =>
  world.dataSource.getRepository(Image).findOneByOrFail({ id: idOf(cook) });

/** The recipe, changed where something is given, with the packages of an archive. */
async function cooked(archive: string, change?: Parameters<typeof changeRecipe>[2]): Promise<Cook> {
  await renewArchive(address.folder ?? '', archive);
  if (change) recipe = await changeRecipe(world, recipe, { components: ['nginx'], ...change });
  const { cook, action } = await askForCook(world, recipe);
  await finish(world, action);
  return world.dataSource.getRepository(Cook).findOneByOrFail({ id: cook.id });
}

function plan(cook: Cook | undefined): Promise<Upgrade> {
  const { dataSource, deps } = world;
  const upgrades = new UpgradesService(dataSource, new ImageContentsService(dataSource), deps.recipes.shelf);
  return upgrades.plan(server.projectId, Number(cook?.id), server.id);
}

async function reload(): Promise<Server> {
  server = await world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
  return server;
}

/** As if it had been upgraded before. */
const isOf = (cook: Cook | undefined) =>
  world.dataSource.getRepository(Server).update({ id: server.id }, { upgradedTo: idOf(cook) });

async function rollBackTo(madeBy: 'owner' | 'roll_back'): Promise<void> {
  const images = world.dataSource.getRepository(Image);
  const [image] = await images.find({
    where: { serverId: server.id, madeBy, status: 'available' },
    order: { createdAt: 'ASC' },
  });
  if (!image) throw new Error('nothing was kept');
  await finish(world, await world.commands.rollBack(server.projectId, server.id, image));
  await reload();
}

describe('a server of a recipe that is cooked again', () => {
  it('is of the new image once it was upgraded, and so is the clone that was tried', async () => {
    const { from, to } = await plan(second);
    expect([from.id, to.id]).toEqual([idOf(first), idOf(second)]);
    const { rehearsal, action } = await world.rehearsals.rehearse({
      ...{ id: newId(), projectId: server.projectId, serverId: server.id, currency: 'eur' },
      ...{ script: UPGRADE, upgrade: { from: from.id, to: to.id }, healthChecks: undefined },
      ...{ timeoutSeconds: 60, keepCloneHours: 1 },
    });
    await finish(world, action);
    expect(await reload()).toMatchObject({ upgradedTo: null });
    expect(servicesOf(server)).toEqual(['ssh', 'HTTP']);
    const clones = world.dataSource.getRepository(Server);
    const clone = await clones.findOneByOrFail({ id: rehearsal.cloneServerId ?? 0 });
    expect([clone.upgradedTo, servicesOf(clone)]).toEqual([to.id, ['ssh', 'HTTP', 'Admin']]);

    await finish(
      world,
      await world.rehearsals.apply(server.projectId, rehearsal.id, { evenIfFailed: false }),
    );
    expect((await outcomeOf(world, server.projectId, rehearsal.id)).rehearsal.state).toBe('applied');
    expect(await reload()).toMatchObject({ imageId: from.id, upgradedTo: to.id });
    expect(servicesOf(server)).toEqual(['ssh', 'HTTP', 'Admin']);
    await expect(plan(second)).rejects.toMatchObject({ code: 'upgrade_not_possible' });
    await settleAll(world);
    await assertSound(world);
  });

  it('is upgraded further from there, so that what came and went is gone', async () => {
    const { from, changes } = await plan(third);
    expect(from.id).toBe(idOf(second));
    expect(changes.packages).toContainEqual({ name: 'jq', before: '1.1', after: null });
  });

  it('is rehearsed with the checks of what it is by now, and what is kept of it has its ports', async () => {
    const { rehearsal, action } = await world.rehearsals.rehearse({
      ...{ id: newId(), projectId: server.projectId, serverId: server.id, currency: 'eur' },
      ...{ script: UPGRADE, healthChecks: undefined, timeoutSeconds: 60, keepCloneHours: 0 },
    });
    expect(rehearsal.healthChecks).toContainEqual(CHECK);
    await finish(world, action);
    const taken = { description: null, labels: {} };
    const kept = await world.commands.createImage(server.projectId, server.id, taken);
    await finish(world, kept.action);
    const { appliance } = await world.dataSource.getRepository(Image).findOneByOrFail({ id: kept.imageId });
    expect(appliance).toMatchObject({ healthChecks: expect.arrayContaining([CHECK]) });
    expect(appliance.ports).toContainEqual(ADMIN);
    await settleAll(world);
    await reload();
  });

  it('takes no upgrade that was tried when it was another', async () => {
    const id = await rehearsed(world, server, UPGRADE);
    const images = { upgradeFrom: idOf(first), upgradeTo: idOf(third) };
    await world.dataSource.getRepository(Rehearsal).update({ id }, images);
    const applying = world.rehearsals.apply(server.projectId, id, { evenIfFailed: true });
    await expect(applying).rejects.toMatchObject({ code: 'rehearsal_not_applicable' });
  });

  it('is again what it was when it is rolled back, to either side, and as the image when it is rebuilt', async () => {
    await rollBackTo('owner');
    expect(server).toMatchObject({ imageId: idOf(first), upgradedTo: null });
    expect(servicesOf(server)).toEqual(['ssh', 'HTTP']);
    await assertSound(world);
    expect((await plan(second)).from.id).toBe(idOf(first));
    await rollBackTo('roll_back');
    expect(server).toMatchObject({ imageId: idOf(first), upgradedTo: idOf(second) });
    expect(servicesOf(server)).toEqual(['ssh', 'HTTP', 'Admin']);
    await assertSound(world);
    const { action } = await world.commands.rebuild(
      server.projectId,
      server.id,
      await imageOf(first),
      'reveal',
    );
    await finish(world, action);
    expect(await reload()).toMatchObject({ imageId: idOf(first), upgradedTo: null });
    expect(servicesOf(server)).toEqual(['ssh', 'HTTP']);
    await assertSound(world);
  });

  it('is not set back, neither to an older version of the recipe nor to an older cook of the same', async () => {
    const refused = { code: 'upgrade_not_possible', message: expect.stringContaining('is of a newer image') };
    await isOf(third);
    await expect(plan(first)).rejects.toMatchObject(refused);
    await expect(plan(second)).rejects.toMatchObject(refused);
    expect((await plan(fourth)).from.id).toBe(idOf(third));
    await isOf(fourth);
    await expect(plan(third)).rejects.toMatchObject(refused);
  });

  it('gets no component that wants a secret, for secrets are made with a server', async () => {
    const cook = await cooked('1.3', { components: ['prometheus-node-exporter'] });
    await expect(plan(cook)).rejects.toMatchObject({
      ...{ code: 'upgrade_not_possible', details: { secrets: ['metrics_password'] } },
      message: expect.stringContaining('has no metrics_password'),
    });
  });

  it('gets databases as a server of the new image makes them', async () => {
    const { script } = await plan(await cooked('1.3', { components: ['postgresql', 'mariadb'] }));
    const at = [
      "write_file '/etc/postgresql-common/createcluster.conf'",
      "'/var/lib/mysql'",
      "'postgresql=1.3'",
    ];
    const places = at.map((part) => script.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((left, right) => left - right));
    expect(script).toContain('rm -rf -- "$@"');
  });
});
