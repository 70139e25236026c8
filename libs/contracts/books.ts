import { z } from 'zod';
import { creditNote, dunningStep, invoice, invoiceStatus, usageKind } from './billing.ts';
import { displayName, id, meta, pageQuery, searchText, timestamp } from './common.ts';

const minor = z.int();
const exact = z.string();

const month = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/, { error: 'must be a month, such as 2027-01' })
  .transform((text) => new Date(`${text}-01T00:00:00Z`));

export const trustTier = z.enum(['new', 'paid_once', 'trusted']);

/** How an account pays; `terms_days` are those of `terms` alone. */
const paying = z.enum(['card', 'prepaid', 'terms']);

/** An account that has not paid, and how far the ladder has come with it. */
export const arrears = z
  .object({
    id,
    account: z.object({ id, email: z.string() }),
    since: timestamp,
    /** The bank will not change its mind: the same card is not tried again. */
    is_hard: z.boolean(),
    step: dunningStep.nullable(),
    next: timestamp.nullable(),
    retry: timestamp.nullable(),
    currency: z.string(),
    overdue_minor: minor,
  })
  .meta({ id: 'Arrears' });
export const arrearsListResponse = z.object({ arrears: z.array(arrears), meta });
export const arrearsListQuery = z.strictObject({ ...pageQuery });

/** An account as the books have it. */
export const customer = z
  .object({
    id,
    email: z.string(),
    name: z.string(),
    currency: z.string(),
    tier: trustTier,
    billed_until: timestamp,
    open_minor: minor,
    overdue_minor: minor,
    overdue_since: timestamp.nullable(),
    credit_minor: minor,
    disputed_minor: minor,
    refunds_minor: minor,
  })
  .meta({ id: 'Customer' });
export const customerDetails = customer
  .extend({ paying, terms_days: z.int().nullable(), unbilled_minor: minor })
  .meta({ id: 'CustomerDetails' });
export const customerResponse = z.object({ customer: customerDetails });
export const customerListResponse = z.object({ customers: z.array(customer), meta });
export const customerListQuery = z.strictObject({
  search: searchText.optional(),
  overdue: z.enum(['true', 'false'], { error: 'must be true or false' }).optional(),
  ...pageQuery,
});
/** What is not named stays as it is. */
export const updateCustomer = z.strictObject({
  tier: trustTier.optional(),
  paying: z
    .union([
      z.strictObject({ by: z.enum(['card', 'prepaid']) }),
      z.strictObject({ by: z.literal('terms'), days: z.int().min(1).max(365) }),
    ])
    .optional(),
});

const amount = z
  .int({ error: 'must be a whole number of minor units' })
  .min(1, { error: 'must be above zero' })
  .max(100_000_000_000, { error: 'is too much' });

export const grantCredit = z.strictObject({
  amount_minor: amount,
  /** For the customer: what it is for. */
  note: displayName,
  expires: timestamp.optional(),
});
export const grantCreditResponse = z.object({
  credit_grant: z.object({ id, amount_minor: minor, currency: z.string() }),
});

export const receivableAge = z.enum(['not_due', 'up_to_30_days', 'up_to_60_days', 'up_to_90_days', 'older']);
export const bookedInvoiceListQuery = z.strictObject({
  customer_id: z
    .string()
    .regex(/^[1-9]\d{0,15}$/, { error: 'must be an id' })
    .transform(Number)
    .optional(),
  status: invoiceStatus.optional(),
  age: receivableAge.optional(),
  ...pageQuery,
});
export const bookedInvoiceListResponse = z.object({ invoices: z.array(invoice), meta });

/** Tax included. What is open is settled first; what was paid goes back to `refund_to`. */
export const createCreditNote = z.strictObject({
  amount_minor: amount,
  refund_to: z.enum(['card', 'credit']),
  reason: displayName,
});
export const creditNoteResponse = z.object({ credit_note: creditNote });
export const creditNoteListResponse = z.object({ credit_notes: z.array(creditNote), meta });
export const creditNoteListQuery = z.strictObject({ ...pageQuery });

/** Debit above zero, credit below, in the unit of its account: `micro` are millionths of a minor unit. */
export const ledgerEntry = z
  .object({
    transaction_id: id,
    line: z.int(),
    cause: z.object({ kind: z.string(), id: z.string() }),
    posted: timestamp,
    account: z.string(),
    customer_id: id.nullable(),
    detail: z.string(),
    currency: z.string(),
    /** An integer as text: it may be too large for a number. */
    amount: z.string(),
    unit: z.enum(['minor', 'micro']),
  })
  .meta({ id: 'LedgerEntry' });
export const ledgerSum = z
  .object({
    account: z.string(),
    currency: z.string(),
    entries: z.int(),
    amount: z.string(),
    unit: z.enum(['minor', 'micro']),
  })
  .meta({ id: 'LedgerSum' });
/** `sums` are of all entries that were asked for, not of the page alone. */
export const ledgerEntryListResponse = z.object({
  entries: z.array(ledgerEntry),
  sums: z.array(ledgerSum),
  meta,
});
/** `month` asks for what the use of a month has earned, whenever it was invoiced; `from` and `until` for when it was posted. */
export const ledgerEntryListQuery = z.strictObject({
  account: searchText.optional(),
  customer_id: z
    .string()
    .regex(/^[1-9]\d{0,15}$/, { error: 'must be an id' })
    .transform(Number)
    .optional(),
  cause_kind: searchText.optional(),
  cause_id: searchText.optional(),
  from: z.iso.date({ error: 'must be a day, such as 2027-01-31' }).optional(),
  until: z.iso.date({ error: 'must be a day, such as 2027-01-31' }).optional(),
  month: month.optional(),
  ...pageQuery,
});

/** What the use of a month has earned with a product. Entries of `account` in that month are where it comes from. */
export const revenueLine = z
  .object({
    month: z.string(),
    kind: z.enum([...usageKind.options, 'rounding']),
    title: z.string(),
    account: z.string(),
    currency: z.string(),
    seconds: z.int(),
    /** As invoiced, each line rounded; `net` is exact, as the ledger has it. */
    net_minor: minor,
    net: exact,
  })
  .meta({ id: 'Revenue' });

/** What a month has cost: the entries of `account` that were posted in it. */
export const costLine = z
  .object({ month: z.string(), account: z.string(), currency: z.string(), amount_minor: minor })
  .meta({ id: 'Cost' });
export const revenueResponse = z.object({ revenue: z.array(revenueLine), costs: z.array(costLine) });
/** Twelve months until now, unless told. */
export const revenueQuery = z.strictObject({ from: month.optional(), until: month.optional() });

export const receivable = z
  .object({ currency: z.string(), age: receivableAge, invoices: z.int(), open_minor: minor })
  .meta({ id: 'Receivable' });
export const receivablesResponse = z.object({ receivables: z.array(receivable) });

/** The price of one unit for an hour from a moment on. */
export const bookedPrice = z
  .object({
    item: z.string(),
    title: z.string(),
    hourly: exact,
    /** Null: since ever. */
    effective_from: timestamp.nullable(),
    state: z.enum(['past', 'current', 'future']),
  })
  .meta({ id: 'BookedPrice' });
export const priceBookResponse = z.object({ prices: z.array(bookedPrice), currency: z.string() });
/** Changes a price from now on, or from a later moment; what was used before keeps its price. */
export const changeBookedPrice = z.strictObject({
  item: z.string().regex(/^(compute|disk|image|address|snapshot|backup|volume)\/\S{1,100}$/, {
    error: 'must be a component and a name, such as compute/s1',
  }),
  hourly: z.string().regex(/^\d{1,6}(\.\d{1,8})?$/, {
    error: 'must be an amount of the currency with at most 8 decimals, such as 0.00625',
  }),
  effective_from: timestamp.optional(),
});

export type ArrearsWire = z.output<typeof arrears>;
export type CustomerWire = z.output<typeof customer>;
export type CustomerDetailsWire = z.output<typeof customerDetails>;
export type LedgerEntryWire = z.output<typeof ledgerEntry>;
export type LedgerSumWire = z.output<typeof ledgerSum>;
export type RevenueWire = z.output<typeof revenueLine>;
export type CostWire = z.output<typeof costLine>;
export type ReceivableWire = z.output<typeof receivable>;
export type BookedPriceWire = z.output<typeof bookedPrice>;
