import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProductWire } from '#libs/contracts';
import { categoriesOf, categoryTitle, findProducts } from './catalog-search.ts';

function product(name: string, category: string, more: Partial<ProductWire> = {}): ProductWire {
  return {
    name,
    title: name,
    summary: '',
    description: '',
    category,
    icon_svg: '',
    screenshot: null,
    os_flavor: 'debian',
    os_version: '12',
    licence: '',
    licence_forbids: [],
    ports: [],
    secrets: [],
    health_checks: [],
    packages_count: 1,
    min_memory_gb: 1,
    min_disk_gb: 4,
    image_id: 1,
    cooked_at: '2026-11-01T00:00:00Z',
    verified_at: null,
    offers: [],
    ...more,
  };
}

const catalog = [
  product('debian-12', 'os', { title: 'Debian 12', summary: 'A bare system' }),
  product('web', 'web', { title: 'Web server', summary: 'nginx on Debian 12' }),
  product('postgresql', 'database', { ports: [{ name: 'PostgreSQL', port: 5432, protocol: 'tcp' }] }),
  product('wordpress', 'web', { title: 'WordPress', description: 'A site with MariaDB' }),
];
const names = (found: readonly ProductWire[]) => found.map(({ name }) => name);

describe('the categories', () => {
  it('are those of the products, by title, with how many each has', () => {
    expect(categoriesOf(catalog)).toEqual([
      { name: 'database', title: 'Databases', count: 1 },
      { name: 'os', title: 'Operating systems', count: 1 },
      { name: 'web', title: 'Web', count: 2 },
    ]);
  });

  it('that nobody knows are called by their names', () => {
    expect(categoryTitle('home-office')).toBe('Home office');
  });
});

describe('the search', () => {
  it.each([
    ['', undefined, ['debian-12', 'web', 'postgresql', 'wordpress']],
    ['', 'web', ['web', 'wordpress']],
    ['NGINX', undefined, ['web']],
    ['12 debian', undefined, ['debian-12', 'web']],
    ['5432', undefined, ['postgresql']],
    ['mariadb', 'os', []],
    ['databases', undefined, ['postgresql']],
    ['nothing like it', undefined, []],
  ])('for %j in %j finds %j', (text, category, found) => {
    expect(names(findProducts(catalog, { text, category }))).toEqual(found);
  });

  it('finds less the more is asked for, and never fails', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, more) => {
        const found = names(findProducts(catalog, { text: `${text} ${more}` }));
        expect(names(findProducts(catalog, { text }))).toEqual(expect.arrayContaining(found));
      }),
    );
  });
});
