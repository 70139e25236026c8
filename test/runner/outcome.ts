import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

const LINES_OF_WHY = 25;

/** What a suite came to. */
export interface Outcome {
  readonly passed: number;
  /** The names of what failed, each followed by the first lines of why. */
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** How long its suites and their files took. */
  readonly took: readonly Took[];
}

export interface Took {
  readonly what: string;
  readonly seconds: number;
}

export const nothing: Outcome = { passed: 0, failed: [], skipped: [], took: [] };

export function sum(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((total, one) => total + one.passed, 0),
    failed: outcomes.flatMap((one) => one.failed),
    skipped: outcomes.flatMap((one) => one.skipped),
    took: outcomes.flatMap((one) => one.took),
  };
}

/** The slowest first, `most` at most: where to look when a run takes too long. */
export function slowest({ took }: Outcome, most: number): readonly Took[] {
  return took.toSorted((a, b) => b.seconds - a.seconds).slice(0, most);
}

const report = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().nullish(),
      startTime: z.number(),
      endTime: z.number(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/**
 * Reads vitest's JSON report. A file that could not be loaded has no tests in it, and a run that crashed has no
 * report: both count as one failure, so that nothing is lost in silence.
 */
export async function readReport(suite: string, path: string, exitCode: number | null): Promise<Outcome> {
  const parsed = report.safeParse(await readJson(path));
  if (!parsed.success)
    return { ...nothing, failed: [`${suite}: it ended without a report (exit ${exitCode})`] };
  const { testResults } = parsed.data;
  const tests = testResults.flatMap((file) => file.assertionResults);
  const named = (...statuses: string[]) =>
    tests
      .filter((test) => statuses.includes(test.status))
      .map((test) => `${suite}: ${test.fullName}${why(test.failureMessages ?? [])}`);
  const unloaded = testResults
    .filter(
      (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
    )
    .map((file) => `${suite}: ${file.name} could not run${why([file.message ?? ''])}`);
  const failed = [...named('failed'), ...unloaded];
  if (tests.length === 0 && failed.length === 0) failed.push(`${suite}: it has no tests`);
  if (exitCode !== 0 && failed.length === 0)
    failed.push(`${suite}: errors outside its tests (exit ${exitCode})`);
  const took = testResults.map(({ name, startTime, endTime }) => ({
    what: `${suite}: ${basename(name)}`,
    seconds: (endTime - startTime) / 1000,
  }));
  const skipped = named('pending', 'skipped', 'todo', 'disabled');
  return { passed: named('passed').length, failed, skipped, took };
}

/** Enough of the messages to start from where the whole log is not at hand. */
function why(messages: readonly string[]): string {
  const lines = messages.flatMap((message) => stripVTControlCharacters(message).split('\n')).filter(Boolean);
  return lines
    .slice(0, LINES_OF_WHY)
    .map((line) => `\n    ${line}`)
    .join('');
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => 'null');
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
