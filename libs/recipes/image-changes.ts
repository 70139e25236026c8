import { createHash } from 'node:crypto';
import type { Recipe } from '#libs/images/recipe';
import { type Change, changedEntries } from '#libs/kernel';

/** What is different between two images of a recipe. */
export interface ImageChanges {
  /** By name, with both versions. */
  readonly packages: readonly Change<string | null>[];
  /** Paths of what recipe, components and base put there. */
  readonly files: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
}

/** What a file of a recipe is, by its path: its content, and whose it is. What has the same digest needs no writing. */
export function fileDigests({ files }: Pick<Recipe, 'files'>): Record<string, string> {
  const digests = files.map(({ path, content, mode, owner, group }) => {
    const hash = createHash('sha256').update(`${mode} ${owner} ${group}\0`).update(content);
    return [path, hash.digest('hex')];
  });
  return Object.fromEntries(digests);
}

/** The files of which two recipes differ, by `fileDigests`, in the order of their paths. Pure. */
export function fileChanges(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): ImageChanges['files'] {
  const changes = changedEntries(before, after);
  const paths = (of: (change: Change<string | null>) => boolean) =>
    changes.filter(of).map(({ name }) => name);
  return {
    added: paths((change) => change.before === null),
    removed: paths((change) => change.after === null),
    changed: paths((change) => change.before !== null && change.after !== null),
  };
}
