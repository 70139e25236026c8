import type { Command } from 'commander';
import { type AuditLine, AuditService } from '#libs/accounts';
import { withInstallation } from './installation.ts';
import { invalid } from './options.ts';

interface Options {
  readonly account?: string;
  readonly subject?: string;
  readonly limit: string;
}

export function registerAudit(program: Command): void {
  program
    .command('audit')
    .description('who did what, the newest first')
    .option('--account <e-mail>', 'only what this account did')
    .option('--subject <kind:id>', 'only what happened to one thing, such as server:42 or price:compute/s1')
    .option('--limit <number>', 'how many entries', '50')
    .action(audit);
}

async function audit({ account, subject, limit }: Options): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    const entries = await new AuditService(dataSource).list({
      limit: positive(limit, '--limit'),
      ...(account === undefined ? {} : { email: account }),
      ...(subject === undefined ? {} : { subject: parseSubject(subject) }),
    });
    if (entries.length === 0) process.stdout.write('There is no such entry.\n');
    for (const entry of entries) process.stdout.write(`${lineOf(entry)}\n`);
  });
}

function lineOf(entry: AuditLine): string {
  const actor = entry.actorId === null ? entry.actorKind : `${entry.actorKind} ${entry.actorId}`;
  const subject = `${entry.subjectKind} ${entry.subjectName ?? entry.subjectId}`;
  const detail = Object.entries(entry.detail).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [
    entry.createdAt.toISOString(),
    entry.action.padEnd(24),
    subject.padEnd(26),
    (entry.email ?? entry.actorName ?? `account ${entry.accountId}`).padEnd(28),
    actor.padEnd(25),
    entry.ip ?? '',
    ...detail,
  ]
    .join('  ')
    .trimEnd();
}

function parseSubject(text: string): { kind: string; id: number | string } {
  const [, kind = '', id = ''] = /^([a-z_]+):(\S+)$/.exec(text) ?? [];
  if (kind === '') throw invalid(`"${text}" must be a kind and an id, such as server:42`);
  return { kind, id: /^\d+$/.test(id) ? positive(id, '--subject') : id };
}

function positive(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw invalid(`${option}: "${text}" must be a whole number above zero`);
}
