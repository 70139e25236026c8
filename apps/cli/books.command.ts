import type { Command } from 'commander';
import { type BooksDifference, checkBooks, creditNoteDetail } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { CardsService, PaymentCalls } from '#libs/payments';
import { StripeProvider, stripeOptions } from '#libs/payments/stripe';
import { FindingsService } from '#libs/placement';
import { SagaStore } from '#libs/saga';
import { compareWithProvider, refundInvoice } from '#libs/workflows';
import { type Installation, moneyClock, withInstallation } from './installation.ts';
import { invalid } from './options.ts';

interface CheckOptions {
  readonly provider: boolean;
}

interface RefundOptions {
  readonly reason: string;
  readonly to: string;
  readonly request?: string;
}

export function registerBooks(program: Command): void {
  const books = program.command('books').description('the ledger, and what is given back by hand');
  books
    .command('check')
    .description(
      'proves the ledger, and compares it with what the payment provider has; exits 1 where they differ',
    )
    .option('--no-provider', 'the ledger alone')
    .action(check);
  books
    .command('refund')
    .description('issues a credit note over an invoice or a part of it, and gives back what was paid')
    .argument('<invoice>', 'its id')
    .argument('<amount>', 'in minor units, tax included: 1190 for 11.90')
    .requiredOption('--reason <text>', 'for the customer')
    .option('--to <where>', 'card or credit', 'card')
    .option('--request <name>', 'makes it safe to repeat: one credit note for each name')
    .action(refund);
}

async function check({ provider }: CheckOptions): Promise<void> {
  const differences = await withInstallation(async (installation) => {
    const own = await installation.dataSource.transaction('REPEATABLE READ', checkBooks);
    return provider ? [...own, ...(await compareWithProvider(await depsOf(installation)))] : own;
  });
  for (const difference of differences) process.stdout.write(line(difference));
  if (differences.length > 0) process.exitCode = 1;
  else
    process.stdout.write(`✔ The books are sound${provider ? ', and as the payment provider has it' : ''}\n`);
}

async function refund(
  invoice: string,
  amount: string,
  { reason, to, request }: RefundOptions,
): Promise<void> {
  if (to !== 'card' && to !== 'credit') throw invalid(`--to: "${to}" must be card or credit`);
  const asked = {
    invoiceId: wholeNumber(invoice),
    amountMinor: wholeNumber(amount),
    requestId: `shell ${request ?? newId()}`,
    refundTo: to,
    reason,
  } as const;
  await withInstallation(async (installation) => {
    const { dataSource, audit } = installation;
    const at = (await moneyClock(installation)).now();
    const note = await runInTransaction(dataSource, async (manager) => {
      const issued = await refundInvoice(manager, new SagaStore(dataSource), { ...asked, at });
      await audit('credit_note.create', issued.id, manager, creditNoteDetail(issued));
      return issued;
    });
    const { settledMinor, refundMinor } = note;
    process.stdout.write(
      `✔ Credit note ${note.id}: ${settledMinor} no longer owed, ${refundMinor} goes back to ${to}\n`,
    );
  });
}

async function depsOf(installation: Installation) {
  const { dataSource, environment } = installation;
  const clock = await moneyClock(installation);
  const provider = new StripeProvider(stripeOptions(environment));
  const calls = new PaymentCalls(dataSource);
  const cards = new CardsService(dataSource, calls, provider, clock);
  const [sagas, findings] = [new SagaStore(dataSource), new FindingsService(dataSource)];
  return { dataSource, provider, calls, cards, sagas, findings, clock };
}

function line({ rule, subject, differsBy, details }: BooksDifference): string {
  const more = details ? `  ${JSON.stringify(details)}\n` : '';
  return `✖ ${subject}: ${rule}; off by ${differsBy}\n${more}`;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw invalid(`"${text}" must be a whole number`);
}
