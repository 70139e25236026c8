import type { EntityManager } from 'typeorm';
import {
  type BillingSettings,
  billingSettings,
  changeBillingSettings,
  changeDunningSettings,
  type DunningSettings,
  dunningSettings,
  parseVatId,
} from '#libs/billing';
import { sqlConstraint } from '#libs/database';
import { invalid } from './options.ts';

interface Known {
  readonly billing: BillingSettings;
  readonly dunning: DunningSettings;
}

/** A setting by its name in the command. */
interface Setting {
  readonly what: string;
  read(known: Known): string | number | boolean | undefined;
  write(manager: EntityManager, value: string, known: Known): Promise<void>;
}

type Rung = keyof DunningSettings['days'];

export const SETTINGS: Readonly<Record<string, Setting>> = {
  'seller.name': seller('name', 'on invoices', anyText),
  'seller.address': seller('address', 'on invoices', anyText),
  'seller.country': seller('country', 'two letters: whose tax is ours', country),
  'seller.vat-id': seller('vatId', 'on invoices; needs seller.country first', (value, known) =>
    parseVatId(value, known.billing.seller.country ?? ''),
  ),
  'invoice-series': billing('invoiceSeries', 'before the numbers; a new one counts from 1', anyText),
  'credit-note-series': billing('creditNoteSeries', 'the same of credit notes', anyText),
  'due-days': billing('dueDays', 'from issue until an invoice is due', whole(0, 365)),
  'stopped-compute': billing(
    'stoppedComputeBilled',
    'bill CPU and RAM of a stopped server: yes or no',
    yesOrNo,
  ),
  'threshold.new': threshold('new', 'invoice earlier above it: accounts that have not paid yet'),
  'threshold.paid-once': threshold('paid_once', 'the same: accounts that have paid once'),
  'threshold.trusted': threshold('trusted', 'the same: accounts that you trust'),
  'dunning.retry-hours': {
    what: 'between two tries of what a bank refused for now',
    read: ({ dunning }) => dunning.retryHours,
    write: (manager, value) => changeDunningSettings(manager, { retryHours: whole(1, 720)(value) }),
  },
  'dunning.first-warning-days': rung('first_warning', 'days since an account has not paid'),
  'dunning.last-warning-days': rung('last_warning', 'the second warning'),
  'dunning.suspension-days': rung('suspension', 'servers are switched off and unplugged'),
  'dunning.soft-deletion-days': rung('soft_deletion', 'servers are hidden'),
  'dunning.purge-days': rung('purge', 'servers are deleted for good'),
};

export async function knownSettings(manager: EntityManager): Promise<Known> {
  return { billing: await billingSettings(manager), dunning: await dunningSettings(manager) };
}

/** What a setting is; undefined while it is not set, and where there is none of that name. */
export function settingOf(known: Known, name: string): string | number | boolean | undefined {
  return SETTINGS[name]?.read(known);
}

/** @throws DomainError `invalid_option`; BillingError `vat_id_malformed` */
export async function changeSetting(manager: EntityManager, name: string, value: string): Promise<void> {
  const setting = SETTINGS[name];
  if (!setting) throw invalid(`there is no setting ${name}; see: servery billing show`);
  const known = await knownSettings(manager);
  try {
    await setting.write(manager, value, known);
  } catch (error) {
    const constraint = sqlConstraint(error);
    if (constraint === 'billing_settings_ladder')
      throw invalid('each step of dunning must come after the one before');
    if (constraint !== undefined) throw invalid(`"${value}" cannot be ${name}`);
    throw error;
  }
}

function billing<K extends keyof BillingSettings>(
  key: K,
  what: string,
  parse: (value: string) => BillingSettings[K],
): Setting {
  return {
    what,
    read: (known) => plain(known.billing[key]),
    write: (manager, value) => changeBillingSettings(manager, { [key]: parse(value) }),
  };
}

function seller(
  key: keyof BillingSettings['seller'],
  what: string,
  parse: (value: string, known: Known) => string,
): Setting {
  return {
    what,
    read: (known) => known.billing.seller[key],
    write: (manager, value, known) =>
      changeBillingSettings(manager, { seller: { ...known.billing.seller, [key]: parse(value, known) } }),
  };
}

function threshold(tier: keyof BillingSettings['thresholdMinor'], what: string): Setting {
  return {
    what,
    read: (known) => known.billing.thresholdMinor[tier],
    write: (manager, value, { billing: { thresholdMinor } }) =>
      changeBillingSettings(manager, {
        thresholdMinor: { ...thresholdMinor, [tier]: whole(1, 1_000_000_000)(value) },
      }),
  };
}

function rung(step: Rung, what: string): Setting {
  return {
    what,
    read: ({ dunning }) => dunning.days[step],
    write: (manager, value) => changeDunningSettings(manager, { days: { [step]: whole(0, 3650)(value) } }),
  };
}

function plain(value: unknown): string | number | boolean | undefined {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : (value as string | number | undefined);
}

function anyText(value: string): string {
  if (value.trim() !== '' && value.length <= 500) return value.trim();
  throw invalid('it must have 1 to 500 characters');
}

function country(value: string): string {
  if (/^[A-Z]{2}$/.test(value)) return value;
  throw invalid(`"${value}" must be two capital letters, such as DE`);
}

function yesOrNo(value: string): boolean {
  if (value === 'yes' || value === 'no') return value === 'yes';
  throw invalid(`"${value}" must be yes or no`);
}

function whole(least: number, most: number) {
  return (value: string): number => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && number <= most) return number;
    throw invalid(`"${value}" must be a whole number from ${least} to ${most}`);
  };
}
