/**
 * The ledger's accounts, by the unit of their entries. `minor`: minor units of the currency. `micro`: millionths of
 * one, where usage is summed exactly; the account `rounding` takes what the lines of an invoice round away. The table
 * `ledger_accounts` says which of them are kept by customer.
 */
export const LEDGER_UNITS = {
  receivable: 'minor',
  customer_credit: 'minor',
  refunds_payable: 'minor',
  disputed: 'minor',
  stripe_clearing: 'minor',
  bank: 'minor',
  paid_out: 'minor',
  tax: 'minor',
  revenue_compute: 'micro',
  revenue_disk: 'micro',
  revenue_image: 'micro',
  revenue_address: 'micro',
  revenue_snapshot: 'micro',
  revenue_backup: 'micro',
  revenue_volume: 'micro',
  rounding: 'micro',
  refunds: 'minor',
  promotions: 'minor',
  payment_fees: 'minor',
  stripe_adjustments: 'minor',
  write_offs: 'minor',
} as const satisfies Record<string, 'minor' | 'micro'>;

export type LedgerAccount = keyof typeof LEDGER_UNITS;
