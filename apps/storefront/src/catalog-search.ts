import type { ProductWire } from '#libs/contracts';

/** Words for the categories of the catalog that we know; a recipe may have one of its own. */
const TITLES: Readonly<Record<string, string>> = {
  os: 'Operating systems',
  web: 'Web',
  database: 'Databases',
  containers: 'Containers',
  developer: 'Development',
  mail: 'Mail',
  monitoring: 'Monitoring',
  network: 'Networks',
  language: 'Languages',
  security: 'Security',
};

export interface Category {
  readonly name: string;
  readonly title: string;
  readonly count: number;
}

export function categoryTitle(name: string): string {
  const own = name.replaceAll('-', ' ');
  return TITLES[name] ?? own.charAt(0).toUpperCase() + own.slice(1);
}

/** The categories that have products, by their titles. */
export function categoriesOf(products: readonly ProductWire[]): Category[] {
  const byName = Map.groupBy(products, ({ category }) => category);
  return [...byName]
    .map(([name, { length: count }]) => ({ name, title: categoryTitle(name), count }))
    .toSorted((a, b) => a.title.localeCompare(b.title, 'en'));
}

/** The products of a category in which each word of `text` is found somewhere, in any case. */
export function findProducts(
  products: readonly ProductWire[],
  { text = '', category }: { readonly text?: string | undefined; readonly category?: string | undefined },
): ProductWire[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return products.filter((product) => {
    if (category !== undefined && product.category !== category) return false;
    const said = wordsOf(product);
    return words.every((word) => said.includes(word));
  });
}

function wordsOf(product: ProductWire): string {
  const { name, title, summary, description, category, ports } = product;
  const services = ports.map((port) => `${port.name} ${port.port}`);
  return [name, title, summary, description, categoryTitle(category), ...services].join('\n').toLowerCase();
}
