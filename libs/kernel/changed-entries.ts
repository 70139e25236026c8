/** What a name stood for before and after; of `T | null`, null is where there was none of this name. */
export interface Change<T> {
  readonly name: string;
  readonly before: T;
  readonly after: T;
}

/** The names that do not stand for the same before and after, sorted. Pure. */
export function changedEntries<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): Change<T | null>[] {
  const [former, latter] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...former.keys(), ...latter.keys()])]
    .sort()
    .map((name) => ({ name, before: former.get(name) ?? null, after: latter.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}
