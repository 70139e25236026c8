/** Something that is chosen by its name, and brings along what it requires. */
export interface Requiring {
  readonly name: string;
  readonly requires: readonly string[];
}

/** What is named with what comes along, each after what it requires, and none twice; unknown names are left out. */
export function withRequired<T extends Requiring>(names: readonly string[], offered: Iterable<T>): T[] {
  const byName = new Map([...offered].map((one) => [one.name, one]));
  const found = new Map<string, T>();
  const add = (name: string, above: readonly string[]) => {
    const one = byName.get(name);
    if (!one || found.has(name) || above.includes(name)) return;
    for (const needed of one.requires) add(needed, [...above, name]);
    found.set(name, one);
  };
  for (const name of names) add(name, []);
  return [...found.values()];
}
