import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ownCode, ownProgram, type Visible } from '#libs/confinement';
import { BYTES_PER_GIB } from '#libs/kernel';
import { assertBuilt } from './build-end.ts';
import { cookError } from './cook.errors.ts';
import type { CookLimits } from './limits.ts';
import { plainLine } from './plain-line.ts';
import { cleanEnvironment } from './run-tool.ts';
import { runBehindWall } from './wall/behind-wall.ts';
import { type Job, type JobLine, PLACES, writeJob } from './within/job.ts';

export interface BuildOptions {
  readonly job: Job;
  /** The packages, as fetchPackages() lays them out. */
  readonly repositoryDir: string;
  /** The kept root that the new one begins with, where the job has one. */
  readonly baseArchive?: string | undefined;
  /** A folder of ours for this build alone; must not exist. */
  readonly workDir: string;
  readonly limits: CookLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (stage: BuildStage, percent: number, message: string) => void;
  readonly onLine: (line: string) => void;
}

export type BuildStage = Extract<JobLine, { stage: string }>['stage'];

/** What came out: files of ours, whose content nobody has looked at. */
export interface Built {
  readonly rootArchive: string;
  /** A raw disk, as large as the recipe says. */
  readonly disk: string;
}

/** What of our code is seen behind the wall. */
export const VISIBLE_CODE = ['libs/images/cook', 'libs/images/recipe', 'libs/kernel'] as const;
const CODE = '/code';
const NODE = '/in/node';
const REMEMBERED_LINES = 20;

const spoken = z.union([
  z.object({
    stage: z.enum(['install', 'furnish', 'disk']),
    percent: z.number().min(0).max(100),
    message: z.string(),
  }),
  z.object({ line: z.string() }),
]);

/**
 * Makes a disk of packages behind the wall: their scripts run there, and nothing else reads what those have written before
 * it is a file of bytes out here.
 * @throws DomainError with a CookErrorCode
 */
export async function build(options: BuildOptions): Promise<Built> {
  const { job, workDir, limits, signal } = options;
  const made = { rootArchive: join(workDir, 'root.tar'), disk: join(workDir, 'disk.raw') };
  const fileBytes = job.recipe.minimum.diskGib * BYTES_PER_GIB;
  await mkdir(workDir, { recursive: true });
  const handed = [
    ...(job.keepsRoot ? [{ from: made.rootArchive, at: PLACES.rootArchive }] : []),
    ...(job.disk ? [{ from: made.disk, at: PLACES.disk }] : []),
  ];
  for (const { from } of handed) await (await open(from, 'wx', 0o600)).close();
  const lastLines: string[] = [];
  const end = await runBehindWall({
    argv: [NODE, ...ownProgram('libs/images/cook/within/cook-within.main', CODE)],
    input: writeJob(job),
    environment: cleanEnvironment,
    visible: visibleTo(options),
    handed,
    fileBytes,
    scratchDir: workDir,
    limits,
    signal,
    onLine: (text) => {
      const said = understood(text);
      if ('stage' in said) return options.onProgress(said.stage, said.percent, plainLine(said.message));
      const line = plainLine(said.line);
      lastLines.push(line);
      if (lastLines.length > REMEMBERED_LINES) lastLines.shift();
      options.onLine(line);
    },
  });
  assertBuilt(end, { limits, lastLines });
  if (job.disk && (await stat(made.disk)).size !== fileBytes) {
    throw cookError(
      'cook_step_failed',
      'The build ended without a whole disk. Look at its log, and cook again.',
    );
  }
  return made;
}

function visibleTo({ repositoryDir, baseArchive }: BuildOptions): Visible[] {
  return [
    { from: process.execPath, at: NODE },
    ...ownCode(VISIBLE_CODE, CODE),
    { from: repositoryDir, at: PLACES.packages },
    ...(baseArchive === undefined ? [] : [{ from: baseArchive, at: PLACES.base }]),
  ];
}

/** Packages print what they like; only lines that are exactly what our own program says count as its. */
function understood(text: string): JobLine {
  if (!text.startsWith('{')) return { line: text };
  try {
    return spoken.parse(JSON.parse(text));
  } catch {
    return { line: text };
  }
}
