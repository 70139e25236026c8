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

/** What a recipe puts into its image beside packages, as far as two of them can be compared by it. */
export interface ImageParts {
  /** Digests of content, owner and mode, by path: what has the same digest needs no writing. */
  readonly files: Readonly<Record<string, string>>;
  /** What becomes of units of systemd: `enable`, `disable` or `mask`. */
  readonly units: Readonly<Record<string, string>>;
}

export function imageParts({ files, services }: Pick<Recipe, 'files' | 'services'>): ImageParts {
  const digests = files.map((file) => [file.path, digestOf(file)] as const);
  // Of two the later one counts, as in the cook.
  const units = (['disable', 'enable', 'mask'] as const).flatMap((what) =>
    services[what].map((unit) => [unit, what] as const),
  );
  return { files: Object.fromEntries(digests), units: Object.fromEntries(units) };
}

export function digestOf({ content, mode, owner, group }: Recipe['files'][number]): string {
  return createHash('sha256').update(`${mode} ${owner} ${group}\0`).update(content).digest('hex');
}

/** The files of which two recipes differ, by their digests, in the order of their paths. Pure. */
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
