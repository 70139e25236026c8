import fc from 'fast-check';

/** Draws that follow from a seed: the same seed, asked the same, answers the same. */
export class Chance {
  readonly #draws: IterableIterator<number>;

  constructor(seed: number) {
    const stream = fc.infiniteStream(fc.nat(2 ** 31 - 1), { noHistory: true });
    const [draws] = fc.sample(stream, { seed, numRuns: 1, unbiased: true });
    if (!draws) throw new Error('fast-check gave no draws');
    this.#draws = draws;
  }

  /** From 0 to below 1. */
  draw(): number {
    return this.#draws.next().value / 2 ** 31;
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.draw() * (most - least + 1));
  }

  happens(probability: number): boolean {
    return this.draw() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return at(list, this.draw());
  }

  /** One of the names, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries<number>(weights) as [K, number][];
    let left = this.draw() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries.at(-1) as [K, number])[0];
  }

  /** A seed for draws of their own. */
  seed(): number {
    return this.int(0, 2 ** 31 - 1);
  }
}

/** What lies at a part of a list, from 0 to below 1. @throws Error where it is empty */
export function at<T>(list: readonly T[], part: number): T {
  const found = list[Math.floor(part * list.length)];
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}
