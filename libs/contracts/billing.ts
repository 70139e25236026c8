import { z } from 'zod';
import { displayName, id, meta, pageQuery, several, timestamp } from './common.ts';

/** Minor units of the currency, such as cents. Below zero where money goes the other way. */
const minor = z.int();

/** Exact worth before it is rounded, as decimals of the currency's major unit. */
const exact = z.string();

/** A day of UTC. */
const day = z.iso.date({ error: 'must be a day, such as 2027-01-31' });

/** What is billed of a server. */
export const usageKind = z.enum(['compute', 'disk', 'image', 'address', 'snapshot', 'backup', 'volume']);

const country = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{2}$/, { error: 'must be two letters of ISO 3166-1, such as DE' });

/** Lines of an address: no control characters but the ends of its lines. */
const address = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(500, { error: 'must have at most 500 characters' })
  .regex(/^(?:\P{Cc}|\n)*$/u, { error: 'must not have control characters' });

/** Whom invoices are made out to. */
export const billingProfile = z
  .object({ name: z.string(), address: z.string(), country: z.string(), vat_id: z.string().nullable() })
  .meta({ id: 'BillingProfile' });
export const billingProfileResponse = z.object({ billing_profile: billingProfile.nullable() });
/** The format of a VAT id is checked against its country. */
export const putBillingProfile = z.strictObject({
  name: displayName,
  address,
  country,
  vat_id: z
    .string()
    .trim()
    .max(20, { error: 'must have at most 20 characters' })
    .transform((text) => (text === '' ? null : text))
    .nullable()
    .default(null),
});

/** `seller` may lack what the operator has not set. */
const party = z.object({
  name: z.string().nullable(),
  address: z.string().nullable(),
  country: z.string().nullable(),
  vat_id: z.string().nullable(),
});

export const invoiceStatus = z.enum(['open', 'overdue', 'paid']);

export const invoice = z
  .object({
    id,
    account_id: id,
    number: z.string(),
    status: invoiceStatus,
    /** Why it was issued: a month is over, or open usage had passed its threshold. */
    reason: z.enum(['month', 'threshold', 'manual']),
    currency: z.string(),
    period: z.object({ from: timestamp, until: timestamp }),
    issued: timestamp,
    due: timestamp,
    net_minor: minor,
    tax: z.object({
      treatment: z.enum(['standard', 'reverse_charge', 'none']),
      country: z.string().nullable(),
      percent: z.number(),
      amount_minor: minor,
    }),
    total_minor: minor,
    /** What is still to be paid. */
    open_minor: minor,
  })
  .meta({ id: 'Invoice' });

/** What was paid or given up of an invoice. Below zero where it was opened again. */
export const invoiceSettlement = z.object({
  kind: z.enum(['credit', 'payment', 'credit_note', 'write_off', 'dispute']),
  amount_minor: minor,
  at: timestamp,
});

export const creditNote = z
  .object({
    id,
    invoice_id: id,
    number: z.string(),
    issued: timestamp,
    net_minor: minor,
    tax_minor: minor,
    total_minor: minor,
    /** What is no longer owed; the rest goes back. */
    settled_minor: minor,
    refund_minor: minor,
    refund_to: z.enum(['card', 'credit']),
    reason: z.string(),
  })
  .meta({ id: 'CreditNote' });

/** How the payment provider stands with an invoice: its page and paper, and why the last attempt failed. */
export const invoiceCollection = z.object({
  status: z.enum(['requested', 'draft', 'open', 'paid', 'uncollectible', 'void']),
  hosted_url: z.string().nullable(),
  pdf_url: z.string().nullable(),
  /** Where the customer confirms the payment with their bank. */
  action_url: z.string().nullable(),
  failure: z.string().nullable(),
  next_attempt: timestamp.nullable(),
});

export const invoiceDetails = invoice
  .extend({
    customer: party,
    seller: party,
    settlements: z.array(invoiceSettlement),
    credit_notes: z.array(creditNote),
    collection: invoiceCollection.nullable(),
  })
  .meta({ id: 'InvoiceDetails' });

export const invoiceResponse = z.object({ invoice: invoiceDetails });
export const invoiceListResponse = z.object({ invoices: z.array(invoice), meta });
/** The newest first. */
export const invoiceListQuery = z.strictObject({
  status: z.enum(['open', 'paid'], { error: 'must be open or paid' }).optional(),
  ...pageQuery,
});

export const invoiceLine = z
  .object({
    line: z.int(),
    server: z.object({ id, name: z.string() }).nullable(),
    kind: z.enum([...usageKind.options, 'rounding']),
    title: z.string(),
    /** Which of several: the address, the snapshot. */
    slot: z.string(),
    from: timestamp,
    until: timestamp,
    seconds: z.int(),
    /** Fewer above the month's cap of 672 hours. */
    billed_seconds: z.int(),
    quantity: z.int(),
    price_hourly: exact,
    net_minor: minor,
  })
  .meta({ id: 'InvoiceLine' });
export const invoiceLineListResponse = z.object({ lines: z.array(invoiceLine), meta });
export const invoiceLineListQuery = z.strictObject({ ...pageQuery });

/**
 * Usage between two days of UTC, the second of which is not in it: without them, of the month so far. `by` says what
 * it is told apart by; what is not named is summed.
 */
export const usageQuery = z.strictObject({
  from: day.optional(),
  until: day.optional(),
  by: several(z.enum(['server', 'day', 'kind'], { error: 'must be server, day or kind' })).optional(),
  ...pageQuery,
});
export const usageSum = z
  .object({
    day: z.string().nullable(),
    server: z.object({ id, name: z.string() }).nullable(),
    kind: usageKind.nullable(),
    /** Of one kind alone: hours of several do not add up to anything. */
    seconds: z.int().nullable(),
    net: exact,
  })
  .meta({ id: 'Usage' });
export const usageResponse = z.object({
  usage: z.array(usageSum),
  currency: z.string(),
  from: timestamp,
  until: timestamp,
  /** Of all pages. */
  net: exact,
  meta,
});

/** What an account that does not pay is led through. */
export const dunningStep = z.enum([
  'unpaid',
  'first_warning',
  'last_warning',
  'suspension',
  'soft_deletion',
  'purge',
]);

export const balance = z
  .object({
    currency: z.string(),
    /** Owed on invoices. */
    open_minor: minor,
    overdue_minor: minor,
    credit_minor: minor,
    /** Used and not invoiced, net. */
    unbilled_minor: minor,
    /** Held back by a bank in a dispute. */
    disputed_minor: minor,
    /** Promised and on its way to a card. */
    refunds_minor: minor,
    /** Payments have failed: since when, the last step that was taken, and when the next one is due. */
    arrears: z
      .object({ since: timestamp, step: dunningStep.nullable(), next: timestamp.nullable() })
      .nullable(),
  })
  .meta({ id: 'Balance' });
export const balanceResponse = z.object({ balance });

/** What this month of UTC comes to, tax included: until now, and until its end if all that is open stays open. */
export const forecast = z
  .object({
    currency: z.string(),
    month: z.string(),
    so_far: z.object({ net_minor: minor, tax_minor: minor, total_minor: minor, invoiced_minor: minor }),
    forecast: z.object({ net_minor: minor, tax_minor: minor, total_minor: minor }),
  })
  .meta({ id: 'Forecast' });
export const forecastResponse = z.object({ forecast });

const alertPercent = z.union([z.literal(50), z.literal(80), z.literal(100)], {
  error: 'must be 50, 80 or 100',
});

/** Of a month of UTC, tax included. A hard one refuses new orders when it is reached; it never stops a server. */
export const spendingLimit = z
  .object({ amount_minor: minor, is_hard: z.boolean(), alert_percents: z.array(alertPercent) })
  .meta({ id: 'SpendingLimit' });
export const limitsResponse = z.object({
  limits: z.object({
    currency: z.string(),
    spending: spendingLimit.nullable(),
    spent_minor: minor,
    /** Marks of this month that were told. */
    alerted_percents: z.array(alertPercent),
  }),
});
export const putLimits = z.strictObject({
  spending: z
    .strictObject({
      amount_minor: z
        .int({ error: 'must be a whole number of minor units' })
        .min(1, { error: 'must be above zero' })
        .max(100_000_000_000, { error: 'is too much' }),
      is_hard: z.boolean().default(false),
      alert_percents: z.array(alertPercent).max(3).default([50, 80, 100]),
    })
    .nullable(),
});

export const creditLot = z
  .object({
    id,
    source: z.enum(['payment', 'grant', 'promotion', 'refund']),
    note: z.string(),
    currency: z.string(),
    amount_minor: minor,
    /** What is left of it. */
    remaining_minor: minor,
    granted: timestamp,
    expires: timestamp.nullable(),
  })
  .meta({ id: 'Credit' });
export const creditListResponse = z.object({ credits: z.array(creditLot), meta });
export const creditListQuery = z.strictObject({ ...pageQuery });

export const redeemPromotionCode = z.strictObject({
  code: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z0-9-]{3,40}$/, { error: 'must be a code of letters, digits and "-"' }),
});
export const redeemPromotionCodeResponse = z.object({
  credit: z.object({ amount_minor: minor, currency: z.string() }),
});

const returnPath = z
  .string()
  .max(512)
  .regex(/^\/(?![/\\])[\w\-./?=&%]*$/, { error: 'must be a path of this site, such as /billing' });

/** Credit is recharged from the card by so much when it falls below the mark. */
export const recharge = z.object({ below_minor: minor, amount_minor: minor }).meta({ id: 'Recharge' });
export const rechargeResponse = z.object({
  recharge: recharge.nullable(),
  currency: z.string(),
  /** How the operator lets the account pay: by card, from credit alone, or by invoice within so many days. */
  paying: z.enum(['card', 'prepaid', 'terms']),
});
export const putRecharge = z.strictObject({
  recharge: z
    .strictObject({
      below_minor: z
        .int({ error: 'must be a whole number of minor units' })
        .min(1, { error: 'must be above zero' })
        .max(1_000_000, { error: 'must be 1000000 at most' }),
      amount_minor: z
        .int({ error: 'must be a whole number of minor units' })
        .min(500, { error: 'must be 500 or more' })
        .max(1_000_000, { error: 'must be 1000000 at most' }),
    })
    .nullable(),
});

/** `return_path` is where the payment page sends the customer back to. */
export const createTopUp = z.strictObject({
  amount_minor: z
    .int({ error: 'must be a whole number of minor units' })
    .min(500, { error: 'must be 500 or more' })
    .max(1_000_000, { error: 'must be 1000000 at most' }),
  save_card: z.boolean().default(false),
  return_path: returnPath,
});
export const createTopUpResponse = z.object({ top_up: z.object({ id, url: z.string() }) });

export const openPortal = z.strictObject({ return_path: returnPath });
export const openPortalResponse = z.object({ portal: z.object({ url: z.string() }) });

export type BillingProfileWire = z.output<typeof billingProfile>;
export type InvoiceWire = z.output<typeof invoice>;
export type InvoiceDetailsWire = z.output<typeof invoiceDetails>;
export type InvoiceLineWire = z.output<typeof invoiceLine>;
export type CreditNoteWire = z.output<typeof creditNote>;
export type CreditWire = z.output<typeof creditLot>;
export type UsageWire = z.output<typeof usageSum>;
export type UsageKind = z.output<typeof usageKind>;
export type DunningStep = z.output<typeof dunningStep>;
export type BalanceWire = z.output<typeof balance>;
export type ForecastWire = z.output<typeof forecast>;
export type RechargeWire = z.output<typeof recharge>;
export type LimitsWire = z.output<typeof limitsResponse>['limits'];
