import { beforeAll, describe, expect, it } from 'vitest';
import { type RecipeSpec, recipeSpec } from '#libs/contracts';
import { checkRecipe } from './check-recipe.ts';
import { composeRecipe } from './compose-recipe.ts';
import { imageParts } from './image-changes.ts';
import { Shelf, type Stock } from './shelf.ts';

const catalog = new URL('../../catalog', import.meta.url).pathname;
let stock: Stock;
beforeAll(async () => {
  stock = await new Shelf(catalog).stock();
});

const specOf = (more: object = {}): RecipeSpec => recipeSpec.parse({ name: 'shop', ...more });
const recipeOf = (more: object) => composeRecipe(specOf(more), stock).recipe;

describe('units of a recipe', () => {
  it.each([
    ['disable', 'unattended-upgrades.service', {}],
    ['disable', 'redis-server.service', { components: ['redis'] }],
    ['mask', 'redis-server.service', { components: ['redis'] }],
    ['enable', 'e2scrub_all.timer', {}],
  ] as const)('that it says to %s are (%s), whatever its base and components say', (what, unit, more) => {
    const recipe = recipeOf({ ...more, services: { [what]: [unit] } });
    const lists = Object.entries(recipe.services).flatMap(([list, units]) =>
      (units as readonly string[]).includes(unit) ? [list] : [],
    );
    expect(lists).toEqual([what]);
    expect(imageParts(recipe).units[unit]).toBe(what);
  });
});

it('a file in place of one that packages read while they are configured is there by then', () => {
  const at = (path: string, more: object) =>
    recipeOf({ ...more, files: [{ path, content: 'own' }] }).files.find((file) => file.path === path);
  const postgres = { components: ['postgresql'] };
  expect(at('/etc/postgresql-common/createcluster.conf', postgres)?.early).toBe(true);
  const modules = '/etc/initramfs-tools/modules';
  expect(at(modules, {})?.early).toBe(true);
  expect(at('/etc/motd', {})?.early).toBe(false);
});

describe('a base and a component', () => {
  it('are served with PHP where nginx is the base’s', () => {
    const bases = [...stock.bases.values()].filter(({ packages }) => packages.includes('nginx'));
    expect(bases.map(({ name }) => name)).toContain('web');
    for (const { name } of bases) {
      const { files } = recipeOf({ base: name, components: ['php'] });
      const site = String(files.find(({ path }) => path === '/etc/nginx/sites-available/default')?.content);
      const isServed = /fastcgi_pass|proxy_pass|include \/etc\/nginx\/components\.d\/\*\.conf;/.test(site);
      expect([name, isServed]).toEqual([name, true]);
    }
  });

  it.each([
    ['postgresql', 'postgresql'],
    ['groupware', 'postgresql'],
    ['wordpress', 'mariadb'],
    ['mail', 'postfix'],
    ['groupware', 'postfix'],
    ['monitoring', 'prometheus-node-exporter'],
  ])('%s and %s, each with its own setting of one program, cannot be together', (base, component) => {
    const problems = checkRecipe(specOf({ base, components: [component] }), stock);
    expect(problems).toMatchObject([{ path: ['components', 0] }]);
  });

  it('may be together everywhere else', () => {
    const refused = [...stock.bases.keys()].flatMap((base) =>
      [...stock.components.keys()].flatMap((name) =>
        checkRecipe(specOf({ base, components: [name] }), stock).length > 0 ? [`${base} ${name}`] : [],
      ),
    );
    expect(refused.toSorted()).toEqual([
      ...[
        'groupware caddy',
        'groupware dovecot',
        'groupware nginx',
        'groupware postfix',
        'groupware postgresql',
      ],
      ...['mail dovecot', 'mail postfix', 'monitoring prometheus-node-exporter', 'postgresql postgresql'],
      ...['web caddy', 'web nginx', 'wordpress caddy', 'wordpress mariadb', 'wordpress nginx'],
    ]);
  });
});
