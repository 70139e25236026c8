import { Listr, type ListrTask } from 'listr2';
import { CliError } from '../cli.errors.ts';
import { logPath } from '../services/daemon.ts';
import type { Step } from './step.ts';
import type { Up } from './up.ts';

const LINE_EVERY_MILLISECONDS = 5000;

/**
 * Runs the steps one after another and shows where they are: a list that moves on a terminal, a line per event
 * elsewhere.
 *
 * @throws Error that names the step, why it failed, and its log.
 */
export async function runSteps(up: Up, steps: readonly Step[]): Promise<void> {
  const tasks = steps.map((step) => taskOf(up, step));
  const options = {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false,
    fallbackRenderer: 'simple',
    fallbackRendererCondition: () => !process.stdout.isTTY,
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
  } as const;
  await new Listr<unknown, 'default', 'simple'>(tasks, options).run();
}

function taskOf(up: Up, step: Step): ListrTask {
  return {
    title: step.title,
    task: async (_, task) => {
      const started = performance.now();
      const progress = process.stdout.isTTY
        ? (line: string) => {
            task.output = line;
          }
        : sparingly((line) => {
            task.output = line;
          });
      try {
        const outcome = await step.run(up, progress);
        task.title = [step.title, outcome, seconds(started)].filter(Boolean).join(' · ');
      } catch (error) {
        throw explained(up, step, error);
      }
    },
  };
}

/** For a log: a line that differs from the last one, and not more often than every few seconds. */
function sparingly(show: (line: string) => void): (line: string) => void {
  let last = '';
  let shownAt = Number.NEGATIVE_INFINITY;
  return (line) => {
    if (line === last || performance.now() - shownAt < LINE_EVERY_MILLISECONDS) return;
    last = line;
    shownAt = performance.now();
    show(line);
  };
}

function seconds(started: number): string | undefined {
  const passed = (performance.now() - started) / 1000;
  return passed < 2 ? undefined : `${passed.toFixed(1)} s`;
}

function explained(up: Up, step: Step, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  const ownLog = error instanceof CliError ? error.log : undefined;
  const log = ownLog ?? (step.log ? logPath(up.folder, step.log) : undefined);
  const where = log && !why.includes(log) ? `\n  Its log: ${log}` : '';
  return new Error(`"${step.title}" failed: ${why}${where}`, { cause: error });
}
