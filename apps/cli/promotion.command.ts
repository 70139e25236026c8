import type { Command } from 'commander';
import {
  countPromotionCampaigns,
  createPromotionCode,
  endPromotion,
  promotionCampaigns,
  promotionDetail,
} from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { formatMinor } from '#libs/kernel';
import { moneyClock, withInstallation } from './installation.ts';
import { invalid, parseMoment } from './options.ts';

interface CreateOptions {
  readonly note: string;
  readonly until?: string;
  readonly validDays?: string;
  readonly accounts?: string;
}

const CODE = /^[A-Z0-9-]{3,40}$/;

export function registerPromotion(program: Command): void {
  const promotion = program.command('promotion').description('codes that customers turn into credit');
  promotion.command('list').description('every code, and how often it was redeemed').action(list);
  promotion
    .command('create')
    .description('makes a code that gives each account its credit once')
    .argument('<code>', '3 to 40 letters, digits and dashes: SUMMER-26')
    .argument('<amount>', 'in minor units: 1000 for 10.00')
    .requiredOption('--note <text>', 'for the customer: what the credit is for')
    .option('--until <moment>', 'redeemed before: 2027-01-01T00:00:00Z')
    .option(
      '--valid-days <days>',
      'what is left of the credit is taken back so many days after it was redeemed',
    )
    .option('--accounts <number>', 'how many accounts may redeem it')
    .action(create);
  promotion
    .command('end')
    .description('lets nobody redeem a code any more; credit that it gave stays')
    .argument('<code>')
    .action(end);
}

async function list(): Promise<void> {
  await withInstallation(async ({ dataSource: { manager } }) => {
    const limit = await countPromotionCampaigns(manager);
    for (const one of await promotionCampaigns(manager, { limit })) {
      const amount = `${one.currency.toUpperCase()} ${formatMinor(one.amountMinor)}`;
      const left = one.redemptionsLeft === null ? '' : `, ${one.redemptionsLeft} left`;
      const until = one.redeemUntil ? `until ${one.redeemUntil.toISOString()}` : 'until ended';
      process.stdout.write(
        `${one.code.padEnd(24)}  ${amount.padEnd(14)}  ${`redeemed ${one.redeemed}${left}`.padEnd(24)}  ${until}  ${one.note}\n`,
      );
    }
  });
}

async function create(text: string, amount: string, options: CreateOptions): Promise<void> {
  const { note, until, validDays, accounts } = options;
  if (note.trim() === '' || note.length > 128) throw invalid('--note must have 1 to 128 characters');
  const asked = {
    code: parseCode(text),
    amountMinor: whole('the amount', amount, 100_000_000),
    note: note.trim(),
    ...(until !== undefined && { redeemUntil: parseMoment('--until', until) }),
    ...(validDays !== undefined && { validDays: whole('--valid-days', validDays, 3650) }),
    ...(accounts !== undefined && { redemptions: whole('--accounts', accounts, 1_000_000) }),
  };
  await withInstallation(async ({ dataSource, audit, environment }) => {
    const promotion = { ...asked, currency: environment.SERVERY_CURRENCY };
    await runInTransaction(dataSource, async (manager) => {
      const isNew = await createPromotionCode(manager, promotion);
      if (!isNew) throw invalid(`there is a code ${asked.code} already; take another`);
      await audit('promotion.create', asked.code, manager, promotionDetail(promotion));
    });
  });
  process.stdout.write(`✔ ${asked.code} gives an account ${formatMinor(asked.amountMinor)}, once\n`);
}

async function end(text: string): Promise<void> {
  const code = parseCode(text);
  await withInstallation(async (installation) => {
    const { dataSource, audit } = installation;
    const at = (await moneyClock(installation)).now();
    const { redeemed } = await runInTransaction(dataSource, async (manager) => {
      const ended = await endPromotion(manager, { code, at });
      await audit('promotion.end', code, manager, { redeemed: ended.redeemed });
      return ended;
    });
    process.stdout.write(`✔ ${code} has ended; it was redeemed ${redeemed} times\n`);
  });
}

function parseCode(text: string): string {
  const code = text.trim().toUpperCase();
  if (CODE.test(code)) return code;
  throw invalid(`"${text}" must be a code of 3 to 40 letters, digits and "-"`);
}

function whole(what: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  throw invalid(`${what}: "${text}" must be a whole number from 1 to ${most}`);
}
