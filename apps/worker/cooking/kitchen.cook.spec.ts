import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Image } from '#libs/images';
import { Cook } from '#libs/recipes';
import type { WorldAddress } from '#libs/saga/harness';
import {
  askForCook,
  assertSound,
  attachToServerWorld,
  changeRecipe,
  createServerWorld,
  destroyServerWorld,
  finish,
  placedHost,
  type ServerWorld,
  writeRecipe,
} from '../../../libs/workflows/harness/index.ts';
import { workflows } from '../../../libs/workflows/index.ts';
import { Guest } from '../../../test/catalog/guest.ts';
import { eventually } from '../../../test/catalog/use.ts';
import { Kitchen } from './kitchen.ts';

/** Kept between runs for the sake of its downloaded packages. */
const folder =
  process.env.SERVERY_IMAGES_DIR || new URL('../../../.servery/test-images', import.meta.url).pathname;

const root = { owner: 'root', group: 'root' };
const spec = {
  components: ['nginx', 'php'],
  files: [
    {
      path: '/var/www/html/index.php',
      content: '<?php echo 6 * 7, " ", file_get_contents("boots");\n',
      mode: '0644',
      ...root,
    },
  ],
  first_boot_script: 'echo "$(hostname) once" >>/var/www/html/boots\n',
  minimum: { memory_mib: 512, disk_gib: 4 },
};

let address: WorldAddress;
let world: ServerWorld;
beforeAll(async () => {
  address = await createServerWorld();
  const cheap = await attachToServerWorld(address);
  const kitchen = new Kitchen({ folder, mirror: process.env.SERVERY_APT_MIRROR, cookMinutes: 60 });
  const deps = { ...cheap.deps, recipes: { ...cheap.deps.recipes, kitchen } };
  world = { ...cheap, deps, sagas: workflows(deps) };
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

async function cooked(...asked: Parameters<typeof askForCook>): Promise<Cook> {
  const { cook, action } = await askForCook(...asked);
  await finish(world, action);
  return world.dataSource.getRepository(Cook).findOneByOrFail({ id: cook.id });
}

const imageOf = ({ imageId }: Cook) =>
  world.dataSource.getRepository(Image).findOneByOrFail({ id: Number(imageId) });

describe('a recipe of a customer', () => {
  it('is cooked, is the same bytes again, and differs in what one package brings', async () => {
    const recipe = await writeRecipe(world, spec);
    const first = await cooked(world, recipe);
    expect(first).toMatchObject({ state: 'available', isUnchanged: false });
    expect(first.keptBytes).toBeGreaterThan(10_000);

    const again = await cooked(world, recipe, { isForced: true });
    expect(again).toMatchObject({
      isUnchanged: true,
      imageId: first.imageId,
      fingerprint: first.fingerprint,
    });
    expect(again.keptBytes).toBeGreaterThan(10_000);

    const second = await cooked(world, await changeRecipe(world, recipe, { ...spec, packages: ['jq'] }));
    expect(second).toMatchObject({ isUnchanged: false, formerImageId: first.imageId });
    expect(second.changes?.packages.map(({ name, before }) => [name, before])).toEqual([
      ['jq', null],
      ['libjq1', null],
    ]);
    expect(second.changes?.files).toEqual({ added: [], removed: [], changed: [] });
    expect((await imageOf(second)).sha256).not.toBe((await imageOf(first)).sha256);
    await assertSound(world);
    expect(await world.deps.recipes.kitchen.present()).toEqual([]);

    await boots(await imageOf(first));
  });

  it('whose packages cannot be had is refused by their names, and leaves nothing', async () => {
    const recipe = await writeRecipe(world, { packages: ['jq', 'no-such-package', 'lib.'] });
    const { cook, action } = await askForCook(world, recipe);
    await expect(finish(world, action)).rejects.toThrow(/no package no-such-package, lib\./);
    const ended = await world.dataSource.getRepository(Cook).findOneByOrFail({ id: cook.id });
    expect(ended).toMatchObject({ state: 'failed', errorCode: 'cook_packages_unknown' });
    expect(ended.errorFields?.map(({ name }) => name)).toEqual(['packages.1', 'packages.2']);
    await assertSound(world);
  });
});

/** As a server of it would: its page is there, and its first boot script has run once, whatever is started again. */
async function boots({ volumeName, appliance }: Image): Promise<void> {
  const { name } = await placedHost(world);
  const diskPath = world.fleet.imagePath(name, volumeName);
  const guest = await Guest.start({ diskPath }, { hostname: 'shop', ports: appliance.ports });
  try {
    const page = () => fetch(`http://127.0.0.1:${guest.portFor(80)}/`).then((answer) => answer.text());
    await eventually(async () => expect(await page()).toBe('42 shop once\n'));
    await guest.must('systemctl is-active servery-first-boot.service');
    await guest.must('systemctl restart servery-first-boot.service');
    expect(await page()).toBe('42 shop once\n');
    expect(await guest.run('systemctl --failed --plain --no-legend')).toBe('');
    expect(await guest.run('stat -c %a /usr/lib/servery/first-boot')).toBe('700');
  } finally {
    await guest.stop();
  }
}
