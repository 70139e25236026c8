import type { EntityManager } from 'typeorm';
import type { TrustTier } from './billing-accounts.ts';

/** Who sells: what invoices say, and from which country tax is judged. */
export interface Seller {
  readonly name?: string;
  readonly address?: string;
  readonly country?: string;
  readonly vatId?: string;
}

/** What the operator decides about billing. */
export interface BillingSettings {
  /** Bill CPU and RAM of a stopped server, not its disk and address alone. */
  readonly stoppedComputeBilled: boolean;
  readonly seller: Seller;
  /** What stands before the numbers of invoices and of credit notes; a new series counts from 1. */
  readonly invoiceSeries: string;
  readonly creditNoteSeries: string;
  /** Days from issue until an invoice is due. */
  readonly dueDays: number;
  /** So long after a moment, all usage before it has been told. */
  readonly settleSeconds: number;
  /** Open usage above it is invoiced before the month ends. */
  readonly thresholdMinor: Readonly<Record<TrustTier, number>>;
}

interface Row extends Omit<BillingSettings, 'thresholdMinor'> {
  readonly thresholdNewMinor: number;
  readonly thresholdPaidOnceMinor: number;
  readonly thresholdTrustedMinor: number;
}

const COLUMNS: Readonly<Record<keyof Row, string>> = {
  stoppedComputeBilled: 'stopped_compute_billed',
  seller: 'seller',
  invoiceSeries: 'invoice_series',
  creditNoteSeries: 'credit_note_series',
  dueDays: 'due_days',
  settleSeconds: 'settle_seconds',
  thresholdNewMinor: 'threshold_new_minor',
  thresholdPaidOnceMinor: 'threshold_paid_once_minor',
  thresholdTrustedMinor: 'threshold_trusted_minor',
};

const SELECTED = Object.entries(COLUMNS)
  .map(([name, column]) => `${column} AS "${name}"`)
  .join(', ');

export async function billingSettings(manager: EntityManager): Promise<BillingSettings> {
  const [row] = await manager.query<Row[]>(`SELECT ${SELECTED} FROM billing_settings`);
  if (!row) throw new Error('billing_settings has lost its row');
  const { thresholdNewMinor, thresholdPaidOnceMinor, thresholdTrustedMinor, ...rest } = row;
  return {
    ...rest,
    thresholdMinor: {
      new: thresholdNewMinor,
      paid_once: thresholdPaidOnceMinor,
      trusted: thresholdTrustedMinor,
    },
  };
}

/** Changes what is named and leaves the rest. What has been invoiced stays as it is. */
export async function changeBillingSettings(
  manager: EntityManager,
  change: Partial<BillingSettings>,
): Promise<void> {
  const { thresholdMinor, ...rest } = change;
  const row: Partial<Row> = {
    ...rest,
    ...(thresholdMinor && {
      thresholdNewMinor: thresholdMinor.new,
      thresholdPaidOnceMinor: thresholdMinor.paid_once,
      thresholdTrustedMinor: thresholdMinor.trusted,
    }),
  };
  const names = Object.keys(row) as (keyof Row)[];
  if (names.length === 0) return;
  const assignments = names.map((name, index) => `${COLUMNS[name]} = $${index + 1}`).join(', ');
  await manager.query(
    `UPDATE billing_settings SET ${assignments}`,
    names.map((name) => row[name]),
  );
}
