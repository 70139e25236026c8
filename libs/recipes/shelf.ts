import { type Component, listComponents, listRecipes, type Recipe } from '#libs/images/recipe';

/** Bases and components by name: what the catalog offers to those who cook their own. */
export interface Stock {
  readonly bases: ReadonlyMap<string, Recipe>;
  readonly components: ReadonlyMap<string, Component>;
}

const FRESH_MILLISECONDS = 60_000;

/** The folder of the catalog. What was read of it is taken for true for a minute. */
export class Shelf {
  private readonly catalogDir: string;
  private readAt = 0;
  private reading: Promise<Stock> | undefined;

  constructor(catalogDir: string) {
    this.catalogDir = catalogDir;
  }

  /** @throws DomainError `recipe_invalid` where something in the catalog is */
  stock(): Promise<Stock> {
    if (this.reading && Date.now() - this.readAt < FRESH_MILLISECONDS) return this.reading;
    const reading = this.read();
    this.reading = reading;
    this.readAt = Date.now();
    reading.catch(() => {
      if (this.reading === reading) this.reading = undefined;
    });
    return reading;
  }

  private async read(): Promise<Stock> {
    const [recipes, components] = await Promise.all([
      listRecipes(this.catalogDir),
      listComponents(this.catalogDir),
    ]);
    const bases = recipes.filter(({ kind }) => kind === undefined);
    return { bases: byName(bases), components: byName(components) };
  }
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

/** Components with those that come with them, each after what it needs. Unknown names are left out. */
export function withRequired(names: readonly string[], { components }: Stock): Component[] {
  const found = new Map<string, Component>();
  const add = (name: string, above: readonly string[]) => {
    const component = components.get(name);
    if (!component || found.has(name) || above.includes(name)) return;
    for (const needed of component.requires) add(needed, [...above, name]);
    found.set(name, component);
  };
  for (const name of names) add(name, []);
  return [...found.values()];
}
