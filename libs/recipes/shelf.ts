import { Logger } from '@nestjs/common';
import { type Component, listComponents, listRecipes, type Recipe } from '#libs/images/recipe';
import type { DomainError } from '#libs/kernel';
import { recipesError } from './recipes.errors.ts';

/** Bases and components by name: what the catalog offers to those who cook their own. */
export interface Stock {
  readonly bases: ReadonlyMap<string, Recipe>;
  readonly components: ReadonlyMap<string, Component>;
}

const FRESH_MILLISECONDS = 60_000;

/** The folder of the catalog. What was read of it is taken for true for a minute. */
export class Shelf {
  private readonly log = new Logger(Shelf.name);
  private readonly catalogDir: string;
  private readAt = 0;
  private reading: Promise<Stock> | undefined;

  constructor(catalogDir: string) {
    this.catalogDir = catalogDir;
  }

  /** What is not usable is left out, for its operator's log. @throws DomainError `catalog_unavailable` where there is no catalog */
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
    const onBroken = (err: DomainError) => this.log.error({ err }, 'a part of the catalog is left out');
    const [recipes, components] = await Promise.all([
      listRecipes(this.catalogDir, onBroken),
      listComponents(this.catalogDir, onBroken),
    ]).catch((err: unknown) => {
      this.log.error({ err }, 'the catalog cannot be read');
      throw recipesError(
        'catalog_unavailable',
        'bases and components cannot be read: the operator has to look',
      );
    });
    const bases = recipes.filter(({ kind }) => kind === undefined);
    return { bases: byName(bases), components: byName(components) };
  }
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}
