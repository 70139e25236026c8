import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recipeSpec } from '#libs/contracts';
import { DomainError } from '#libs/kernel';
import { checkRecipe } from './check-recipe.ts';
import { Shelf } from './shelf.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelf-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('a broken folder of the catalog closes itself, and what needs it, and nothing else', async () => {
  const catalog = join(folder, 'catalog');
  await cp(new URL('../../catalog', import.meta.url), catalog, { recursive: true });
  const whole = await new Shelf(catalog).stock();
  await writeFile(join(catalog, 'wordpress', 'recipe.yaml'), 'name: [');
  const part = (name: string) => join(catalog, 'components', name, 'component.yaml');
  await rm(part('php'));
  await appendFile(part('redis'), 'requires: [php]\n');
  await appendFile(part('memcached'), 'requires: [redis]\n');
  await appendFile(part('nodejs'), 'conflicts: [php]\n');

  const { bases, components } = await new Shelf(catalog).stock();
  const without = (map: ReadonlyMap<string, unknown>, ...names: string[]) =>
    [...map.keys()].filter((name) => !names.includes(name));
  expect([...bases.keys()]).toEqual(without(whole.bases, 'wordpress'));
  expect([...components.keys()]).toEqual(without(whole.components, 'php', 'redis', 'memcached'));
  const stock = { bases, components };
  expect(checkRecipe(recipeSpec.parse({ name: 'shop', components: ['nginx'] }), stock)).toEqual([]);
  const broken = recipeSpec.parse({ name: 'shop', base: 'wordpress', components: ['php'] });
  expect(checkRecipe(broken, stock).map(({ path }) => path[0])).toEqual(['base', 'components']);
});

it('a catalog that is not there is the operator’s to mend, and its place is nobody else’s business', async () => {
  const absent = join(folder, 'absent');
  const error = await new Shelf(absent).stock().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DomainError);
  expect(error).toMatchObject({ code: 'catalog_unavailable', kind: 'unavailable' });
  expect((error as Error).message).not.toContain(absent);
});
