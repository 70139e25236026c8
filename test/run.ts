import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nothing, type Outcome, readReport, slowest, sum } from './runner/outcome.ts';
import { endCurrent, runCommand } from './runner/run-command.ts';
import { stackDown, stackEnvironment, stackLogins, stackUp } from './runner/stack.ts';
import { type Command, dataFolder, node, root, type Suite, suites, vitest } from './runner/suites.ts';

/** Of suites and files, so many are told by how long they took. */
const LONGEST_TOLD = 40;

/** `npm test [-- SUITE…]`: runs the suites in their order; one that fails does not stop the others. */
async function main(names: readonly string[]): Promise<Outcome> {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const known = suites.map((suite) => suite.name).join(', ');
    process.stderr.write(`There is no suite ${unknown.join(', ')}. There are: ${known}\n`);
    process.exit(2);
  }
  const wanted = suites.filter(({ name, onlyNamed }) =>
    names.length === 0 ? !onlyNamed : names.includes(name),
  );
  const outcomes: Outcome[] = names.length === 0 ? suites.flatMap(leftOut) : [];
  outcomes.push(...(await runGroups(wanted.filter((one) => !one.needsStack))));
  const onStack = wanted.filter((one) => one.needsStack);
  if (onStack.length > 0) outcomes.push(await runOnStack(onStack));
  heading('Leaving nothing behind');
  outcomes.push(await start(stackDown));
  return sum(outcomes);
}

function leftOut({ name, onlyNamed }: Suite): Outcome[] {
  return onlyNamed ? [{ ...nothing, skipped: [`${name}: ${onlyNamed}`] }] : [];
}

async function runGroups(wanted: readonly Suite[], logins: NodeJS.ProcessEnv = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const group of groupsOf(wanted))
    outcomes.push(...(await Promise.all(group.map((suite) => start(() => run(suite, logins))))));
  return outcomes;
}

/** The suites that run at the same time, group by group. */
function groupsOf(wanted: readonly Suite[]): Suite[][] {
  const groups: Suite[][] = [];
  for (const suite of wanted) {
    const group = groups.at(-1);
    if (suite.isBeside && group) group.push(suite);
    else groups.push([suite]);
  }
  return groups;
}

async function runOnStack(wanted: readonly Suite[]): Promise<Outcome> {
  heading('A real stack of its own');
  const up = await start(stackUp);
  if (up.failed.length > 0) {
    return sum([
      up,
      { ...nothing, failed: wanted.map((suite) => `${suite.name}: not run, there is no stack`) },
    ]);
  }
  return sum([up, ...(await runGroups(wanted, await stackLogins()))]);
}

let isStopped = false;

/** Does the next thing, but nothing new once a signal has come: `stopBy` ends the process. */
function start<T>(next: () => Promise<T>): Promise<T> {
  return isStopped ? new Promise(() => {}) : next();
}

async function run(suite: Suite, logins: NodeJS.ProcessEnv): Promise<Outcome> {
  heading(`${suite.name}: ${suite.title}`);
  const environment = { ...stackEnvironment, ...logins };
  const started = performance.now();
  const outcome =
    'vitestProject' in suite.what
      ? await runVitest(suite, suite.what.vitestProject, environment)
      : await runPlain(suite, suite.what, environment);
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${suite.name}: ${totals(outcome)} in ${minutes(seconds)}\n`);
  return { ...outcome, took: [...outcome.took, { what: suite.title, seconds }] };
}

async function runPlain(
  suite: Suite,
  commands: readonly Command[],
  environment: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const command of commands) {
    const code = await start(() => runCommand(command, environment, suite.minutes));
    process.stdout.write(`${code === 0 ? '✔' : '✖'} ${command.title}\n`);
    outcomes.push(
      code === 0 ? { ...nothing, passed: 1 } : { ...nothing, failed: [`${suite.name}: ${command.title}`] },
    );
  }
  return sum(outcomes);
}

async function runVitest(suite: Suite, project: string, environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const report = join(root, 'dist', 'test-reports', `${suite.name}-${process.pid}.json`);
  await mkdir(join(root, 'dist', 'test-reports'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = node(suite.name, vitest, 'run', '--project', project, ...reporters);
  const code = await runCommand(command, environment, suite.minutes);
  return readReport(suite.name, report, code);
}

function heading(title: string): void {
  process.stdout.write(`\n━━ ${title} ${'━'.repeat(Math.max(0, 96 - title.length))}\n`);
}

function minutes(seconds: number): string {
  return `${(seconds / 60).toFixed(1)} minutes`;
}

function totals({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;
}

async function stopBy(signal: NodeJS.Signals): Promise<never> {
  isStopped = true;
  process.stdout.write(`\nStopped by ${signal}; taking the stack down.\n`);
  await endCurrent();
  await stackDown();
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopBy(signal));

await mkdir(dataFolder, { recursive: true });
const outcome = await main(process.argv.slice(2));
for (const { what, seconds } of slowest(outcome, LONGEST_TOLD))
  process.stdout.write(`took ${minutes(seconds)}: ${what}\n`);
for (const name of outcome.skipped) process.stdout.write(`skipped: ${name}\n`);
for (const name of outcome.failed) process.stdout.write(`failed: ${name}\n`);
process.stdout.write(`${totals(outcome)}\n`);
process.exitCode = outcome.failed.length > 0 ? 1 : 0;
