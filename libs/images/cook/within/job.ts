import type { Recipe, RecipeContent } from '../../recipe/recipe.ts';
import type { DiskIdentities } from '../identities.ts';

/** All that the part of a cook behind the wall is told. */
export interface Job {
  readonly recipe: Pick<Recipe, 'release' | 'packages' | 'remove' | 'services' | 'minimum'>;
  readonly files: readonly RecipeContent[];
  /** What must be installed in the end: `name version`. */
  readonly installed: readonly string[];
  /** Of those, how many a kept base holds already; undefined where there is none, and the root begins empty. */
  readonly inBase: number | undefined;
  readonly epochSeconds: number;
  /** Whether the root is kept for recipes that stand on it. */
  readonly keepsRoot: boolean;
  /** How the root becomes a disk; missing where nothing but the root is wanted. */
  readonly disk?: DiskPlan | undefined;
}

export interface DiskPlan {
  readonly identities: DiskIdentities;
  /** The release of the kernel that is started, such as `6.1.0-56-cloud-amd64`. */
  readonly kernel: string;
  /** The image's own sources.list. */
  readonly sourcesList: string;
}

/** Where a job finds and leaves things. */
export const PLACES = {
  packages: '/in/packages',
  base: '/in/base.tar',
  rootArchive: '/out/root.tar',
  disk: '/out/disk.raw',
} as const;

/** What it says, a line of JSON each; but whoever runs behind the wall can say the same, so nobody has to believe it. */
export type JobLine =
  | { readonly stage: 'install' | 'furnish' | 'disk'; readonly percent: number; readonly message: string }
  | { readonly line: string };

export function writeJob(job: Job): string {
  const files = job.files.map((file) => ({ ...file, content: file.content.toString('base64') }));
  return JSON.stringify({ ...job, files });
}

export function readJob(text: string): Job {
  const job = JSON.parse(text) as Omit<Job, 'files'> & {
    files: (Omit<RecipeContent, 'content'> & { content: string })[];
  };
  const files = job.files.map((file) => ({ ...file, content: Buffer.from(file.content, 'base64') }));
  return { ...job, files };
}
