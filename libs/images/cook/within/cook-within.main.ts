import { readFileSync } from 'node:fs';
import { WITHIN } from '../wall/places.ts';
import { writeBootMenu, writeGrubFiles } from './boot-loader.ts';
import { bootstrap } from './bootstrap.ts';
import { writeDisk } from './disk.ts';
import { type DiskPlan, type Job, type JobLine, PLACES, readJob } from './job.ts';
import { packRoot } from './pack-root.ts';
import { assertInstalled, furnish, type RootTree, scrub, writePreset } from './root-tree.ts';

/**
 * A cook behind the wall: from packages to a raw disk, in one process and those that it starts. The job comes by
 * standard input. What it makes lies in files that it was handed; the rest is gone with it.
 */

const PRESET = `${WITHIN.tmp}/preset`;

function tell(line: JobLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const progressOf = (stage: 'install' | 'furnish' | 'disk') => (percent: number, message: string) =>
  tell({ stage, percent, message });

async function cook(job: Job): Promise<void> {
  await install(job);
  if (job.keepsRoot) await packRoot(WITHIN.root, PLACES.rootArchive);
  if (job.disk) await finish(job, job.disk);
}

/** A recipe's packages, upon those of its base where that was kept: the same bytes either way. */
async function install(job: Job): Promise<void> {
  await writePreset(PRESET, job.files);
  const packageCount = job.installed.length - (job.inBase ?? 0);
  const tellProgress = progressOf('install');
  tellProgress(0, `installing ${packageCount} packages`);
  await bootstrap({
    release: job.recipe.release,
    packages: ['usr-is-merged', ...job.recipe.packages],
    packageCount,
    presetDir: PRESET,
    hasBase: job.inBase !== undefined,
    epochSeconds: job.epochSeconds,
    onProgress: tellProgress,
    onLine: (line) => tell({ line }),
  });
}

async function finish(job: Job, plan: DiskPlan): Promise<void> {
  const tellProgress = progressOf('furnish');
  tellProgress(0, 'files and services of the recipe');
  const tree: RootTree = { rootDir: WITHIN.root, installDir: WITHIN.install, job, plan };
  await assertInstalled(tree);
  await furnish(tree);
  await writeBootMenu(WITHIN.root, plan);
  await writeGrubFiles(WITHIN.root, WITHIN.install);
  tellProgress(60, 'removing what must not be the same on every server');
  await scrub(tree);
  await writeDisk({
    rootDir: WITHIN.root,
    rawPath: PLACES.disk,
    scratchDir: WITHIN.tmp,
    diskGib: job.recipe.minimum.diskGib,
    identities: plan.identities,
    epochSeconds: job.epochSeconds,
    onProgress: progressOf('disk'),
  });
}

try {
  await cook(readJob(readFileSync(0, 'utf8')));
} catch (error) {
  for (const line of (error instanceof Error ? error.message : String(error)).split('\n')) tell({ line });
  process.exitCode = 1;
}
