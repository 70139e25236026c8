import { describe, expect, it } from 'vitest';
import { type ComponentWire, recipeSpec } from '#libs/contracts';
import { readRecipe } from './read-recipe.ts';
import { checkParts, needsOf, rivalOf } from './recipe-parts.ts';

function component(name: string, more: Partial<ComponentWire> = {}): ComponentWire {
  return {
    name,
    title: name,
    summary: '',
    category: 'web',
    packages: [name],
    services: [],
    files: [],
    ports: [],
    health: [],
    conflicts: [],
    requires: [],
    secrets: [],
    memory_mib: 512,
    ...more,
  };
}

const parts = {
  bases: [
    {
      name: 'debian-12',
      title: 'Debian 12',
      summary: '',
      os_flavor: 'debian',
      os_version: '12',
      ports: [{ name: 'SSH', port: 22, protocol: 'ssh' as const }],
      minimum: { memory_mib: 512, disk_gib: 3 },
    },
  ],
  components: [
    component('nginx', { ports: [{ name: 'HTTP', port: 80, protocol: 'http' }] }),
    component('apache', { conflicts: ['nginx'] }),
    component('php', { requires: ['nginx'] }),
    component('java', { memory_mib: 2048 }),
  ],
};

const [nginx, apache, php] = parts.components as [ComponentWire, ComponentWire, ComponentWire, ComponentWire];
const check = (recipe: object) =>
  checkParts(recipeSpec.parse({ name: 'own', ...recipe }), parts).map(({ path }) => path.join('.'));

describe('components', () => {
  it('have rivals, on either side, also through what comes with them', () => {
    expect(rivalOf(apache, ['nginx'], parts)?.name).toBe('nginx');
    expect(rivalOf(nginx, ['apache'], parts)?.name).toBe('apache');
    expect(rivalOf(php, ['apache'], parts)?.name).toBe('apache');
    expect(rivalOf(apache, ['php'], parts)?.name).toBe('nginx');
    expect(rivalOf(php, ['nginx'], parts)).toBeUndefined();
  });
});

describe('a recipe', () => {
  it.each([
    [{}, []],
    [{ base: 'bsd' }, ['base']],
    [{ components: ['nginx', 'unknown'] }, ['components.1']],
    [{ components: ['nginx', 'apache'] }, ['components.1']],
    [{ components: ['apache', 'php'] }, ['components.1']],
    [{ components: ['nginx', 'nginx'] }, ['components.1']],
    [{ packages: ['curl', 'git', 'curl'] }, ['packages.2']],
    [{ files: ['a', 'b'].map((content) => ({ path: '/x', content })) }, ['files.1']],
    [{ services: { mask: ['a.timer', 'b.timer', 'a.timer'] } }, ['services.mask.2']],
    [{ services: { enable: ['a.timer', 'b.timer'], disable: ['b.timer'] } }, ['services.enable.1']],
    [{ services: { enable: ['a.timer'], disable: ['b.timer'], mask: ['b.timer'] } }, []],
    [{ services: { disable: ['servery-first-boot.service'] } }, ['services.disable.0']],
    [{ services: { mask: ['a.timer', 'servery-first-boot.service'] } }, ['services.mask.1']],
    [{ files: ['a', 'b'].map((at) => ({ path: `/${at}`, content: at.repeat(100 * 1024) })) }, ['files']],
    [{ ports: [{ name: 'own', port: 22 }] }, ['ports.0.port']],
    [{ components: ['php'], ports: [{ name: 'own', port: 80 }] }, ['ports.0.port']],
    [{ components: ['php'], ports: [{ name: 'own', port: 80, protocol: 'udp' }] }, []],
    [{ ports: [1, 2].map(() => ({ name: 'own', port: 8080 })) }, ['ports.1.port']],
  ])('%j is wrong at %j', (recipe, wrong) => {
    expect(check(recipe)).toEqual(wrong);
  });

  it('needs as much as the hungriest of its parts', () => {
    const needs = (text: string) => {
      const { draft } = readRecipe(text);
      return draft && needsOf(draft, parts);
    };
    expect(needs('name: a')).toEqual({ memoryMib: 512, diskGib: 4 });
    expect(needs('name: a\nminimum: { memory_mib: 256, disk_gib: 2 }')).toEqual({
      memoryMib: 512,
      diskGib: 3,
    });
    expect(needs('name: a\ncomponents: [java]')).toEqual({ memoryMib: 2048, diskGib: 4 });
  });
});
