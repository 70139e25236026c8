import { type Command, Option } from 'commander';
import type { EntityManager } from 'typeorm';
import { AccountsService, standingSuspensions } from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { liftForOperator, type OperatorReason, suspendForOperator } from '#libs/dunning';
import { type Installation, withInstallation } from './installation.ts';
import { invalid } from './options.ts';

interface SuspendOptions {
  readonly reason: OperatorReason;
  readonly note: string;
}

const reason = () =>
  new Option('--reason <reason>', 'why; each stands and is lifted alone')
    .choices(['abuse', 'operator'] satisfies OperatorReason[])
    .makeOptionMandatory();

export function registerAccount(program: Command): void {
  const account = program.command('account').description('customers: what stands against them');
  account.command('show').argument('<e-mail>').description('why an account is suspended').action(show);
  account
    .command('suspend')
    .description('switches all servers of an account off, and keeps them so until it is resumed')
    .argument('<e-mail>')
    .addOption(reason())
    .option('--note <text>', 'what is wrong, for the customer, who is mailed it', '')
    .action(suspend);
  account
    .command('resume')
    .description('lifts one reason; the servers come back as they were when none is left')
    .argument('<e-mail>')
    .addOption(reason())
    .action(resume);
}

async function show(email: string): Promise<void> {
  await withInstallation(async (installation) => {
    const { manager } = installation.dataSource;
    await tell(manager, email, await idOf(installation, email));
  });
}

async function suspend(email: string, { reason: why, note }: SuspendOptions): Promise<void> {
  if (note.length > 1000) throw invalid('--note: at most 1,000 characters');
  await withInstallation(async (installation) => {
    const accountId = await idOf(installation, email);
    await runInTransaction(installation.dataSource, async (manager) => {
      const isNew = await suspendForOperator(manager, { accountId, reason: why, note });
      if (isNew) await installation.audit('account.suspend', accountId, manager, { reason: why, note });
    });
    await tell(installation.dataSource.manager, email, accountId);
  });
}

async function resume(email: string, { reason: why }: Pick<SuspendOptions, 'reason'>): Promise<void> {
  await withInstallation(async (installation) => {
    const accountId = await idOf(installation, email);
    await runInTransaction(installation.dataSource, async (manager) => {
      const isLifted = await liftForOperator(manager, { accountId, reason: why });
      if (isLifted) await installation.audit('account.unsuspend', accountId, manager, { reason: why });
    });
    await tell(installation.dataSource.manager, email, accountId);
  });
}

async function idOf({ dataSource }: Installation, email: string): Promise<number> {
  const id = await new AccountsService(dataSource).idOf(email);
  if (id === undefined) throw invalid(`there is no account of ${email}`);
  return id;
}

/** What stands, and what the worker makes of it within seconds. */
async function tell(manager: EntityManager, email: string, accountId: number): Promise<void> {
  const standing = await standingSuspensions(manager, accountId);
  if (standing.length === 0)
    process.stdout.write(`✔ Nothing stands against ${email}: its servers are as their owner wants them\n`);
  for (const one of standing) {
    const note = one.note && `  ${one.note}`;
    process.stdout.write(`${email} is suspended for ${one.reason} since ${one.since.toISOString()}${note}\n`);
  }
}
