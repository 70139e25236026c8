import type { Command } from 'commander';
import { runInTransaction } from '#libs/database';
import { DomainError } from '#libs/kernel';
import { type SagaRecord, SagaStore } from '#libs/saga';
import { withInstallation } from './installation.ts';

/** Each of them needs the operator; of all others the newest are enough. */
const MOST_STUCK = 10_000;

export function registerSaga(program: Command): void {
  const saga = program.command('saga').description('the long operations');
  saga
    .command('list')
    .description('the newest sagas')
    .option('--stuck', 'only those that need you')
    .action((options: { stuck?: boolean }) => list(options.stuck === true));
  saga.command('show <id>').description('each step, try, duration and error of one saga').action(show);
  saga.command('resume <id>').description('let a stuck saga try again at once').action(resume);
  saga
    .command('give-up <id>')
    .description('end a stuck saga: what can be taken back is, its action fails')
    .action(giveUp);
}

async function list(onlyStuck: boolean): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const sagas = await new SagaStore(dataSource).list(
      onlyStuck ? { states: ['stuck'], limit: MOST_STUCK } : {},
    );
    if (sagas.length === 0)
      process.stdout.write(onlyStuck ? 'No saga is stuck.\n' : 'There is no saga yet.\n');
    for (const saga of sagas) process.stdout.write(`${line(saga)}\n`);
  });
}

async function show(id: string): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const store = new SagaStore(dataSource);
    const saga = await store.get(parseId(id));
    process.stdout.write(`${line(saga)}\n`);
    if (saga.error) process.stdout.write(`  ${saga.error.code}: ${saga.error.message}\n`);
    for (const entry of await store.log(saga.id)) {
      const seconds = (entry.durationMilliseconds / 1000).toFixed(3).padStart(9);
      const error = entry.error ? `  ${entry.error.code}: ${entry.error.message}` : '';
      process.stdout.write(
        `  ${entry.at.toISOString()} ${entry.direction.padEnd(4)} ${entry.step.padEnd(20)}` +
          ` try ${entry.try} ${entry.outcome.padEnd(11)} ${seconds} s${error}\n`,
      );
    }
  });
}

async function resume(id: string): Promise<void> {
  await withInstallation(async ({ dataSource, audit }) => {
    const sagaId = parseId(id);
    await runInTransaction(dataSource, async (manager) => {
      await new SagaStore(dataSource).resume(sagaId, manager);
      await audit('saga.resume', sagaId, manager);
    });
    process.stdout.write(`✔ A worker will try it again within seconds. See: servery saga show ${sagaId}\n`);
  });
}

async function giveUp(id: string): Promise<void> {
  await withInstallation(async ({ dataSource, audit }) => {
    const sagaId = parseId(id);
    await runInTransaction(dataSource, async (manager) => {
      await new SagaStore(dataSource).giveUp(manager, sagaId);
      await audit('saga.give_up', sagaId, manager);
    });
    process.stdout.write(
      `✔ A worker will take back what it can within seconds. What it had to leave: servery saga show ${sagaId}\n`,
    );
  });
}

function line(saga: SagaRecord): string {
  const subject = saga.subject ? `${saga.subject.type} ${saga.subject.id}` : '';
  return `${saga.id}  ${saga.name.padEnd(18)} ${saga.state.padEnd(8)} at ${saga.step.padEnd(20)} ${subject}`;
}

function parseId(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new DomainError(
    'invalid_input',
    'invalid_id',
    `"${text}" is not the id of a saga; see: servery saga list`,
  );
}
