import type { Command } from 'commander';
import { loadEnvironment } from '#libs/config';
import { newId } from '#libs/kernel';
import { letter, paragraph } from '#libs/mail';
import { smtpCarrier } from '#libs/mail/smtp';
import { CliError } from './cli.errors.ts';
import { invalid } from './options.ts';

export function registerMail(program: Command): void {
  const mail = program.command('mail').description('the mail server that takes what Servery writes');
  mail
    .command('test')
    .description('sends a mail by SMTP_URL at once, and says what the mail server says')
    .argument('<address>', 'who gets it: anna@example.org')
    .action(test);
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
