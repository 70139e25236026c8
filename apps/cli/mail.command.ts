import type { Command } from 'commander';
import { loadEnvironment } from '#libs/config';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { letter, mailsGivenUp, paragraph, resendMail } from '#libs/mail';
import { smtpCarrier } from '#libs/mail/smtp';
import { CliError } from './cli.errors.ts';
import { withInstallation } from './installation.ts';
import { invalid } from './options.ts';

export function registerMail(program: Command): void {
  const mail = program.command('mail').description('the mail server that takes what Servery writes');
  mail
    .command('test')
    .description('sends a mail by SMTP_URL at once, and says what the mail server says')
    .argument('<address>', 'who gets it: anna@example.org')
    .action(test);
  mail
    .command('lost')
    .description('mails that were given up, the latest first, and why')
    .option('--days <number>', 'how far back', '30')
    .action(lost);
  mail
    .command('resend')
    .description('sends mails that were given up anew, once what kept them is mended')
    .argument('<id...>', 'as `mail lost` lists them')
    .action(resend);
}

async function lost({ days }: { readonly days: string }): Promise<void> {
  await withInstallation(async ({ dataSource: { manager } }) => {
    const mails = await mailsGivenUp(manager, { days: whole(days), limit: 1000 });
    if (mails.length === 0) process.stdout.write('No mail was given up.\n');
    for (const { id, accountId, template, error } of mails) {
      const account = accountId === null ? '' : `account ${accountId}`;
      process.stdout.write(`${id}  ${template.padEnd(22)}  ${account.padEnd(26)}  ${error ?? ''}\n`);
    }
  });
}

async function resend(ids: readonly string[]): Promise<void> {
  const mailIds = ids.map(whole);
  await withInstallation(({ dataSource, audit }) =>
    runInTransaction(dataSource, async (manager) => {
      for (const id of mailIds) {
        await resendMail(manager, id);
        await audit('mail.resend', id, manager);
      }
    }),
  );
  process.stdout.write(`✔ The worker sends ${mailIds.length === 1 ? 'it' : 'them'} within seconds\n`);
}

function whole(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number > 0) return number;
  throw invalid(`"${text}" must be a whole number above zero`);
}

async function test(to: string): Promise<void> {
  const { SMTP_URL: url, MAIL_FROM: from, SERVERY_URL: site } = loadEnvironment();
  if (url === undefined || from === undefined) throw invalid('set SMTP_URL and MAIL_FROM first');
  const words = letter('A test from Servery', [
    paragraph(`Servery at ${site} sends its mails the way that this one came.`),
  ]);
  const { host } = new URL(url);
  try {
    await smtpCarrier({ url, from }).send({ ...words, id: newId(), to });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError('mail_refused', `${host} did not take it: ${why}`, { cause });
  }
  process.stdout.write(`✔ ${host} took a mail from ${from} to ${to}. Look whether it has arrived.\n`);
}
