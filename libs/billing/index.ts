export { BillingError, type BillingErrorCode } from './billing.errors.ts';
export {
  type BillingAccount,
  type BooksLock,
  ensureBooks,
  lockBooks,
  type TrustTier,
} from './billing-accounts.ts';
export type { LedgerAccount } from './chart-of-accounts.ts';
export {
  type CreditGrant,
  type CreditSource,
  creditBalanceMinor,
  creditPayment,
  grantCredit,
  type NewCredit,
  takeBackPayment,
} from './credit.ts';
export {
  type Cause,
  credit,
  debit,
  isPosted,
  type LedgerEntry,
  type LedgerTransaction,
  ledgerBalance,
  post,
} from './ledger.ts';
export {
  type Component,
  changePrice,
  firstPrice,
  type Price,
  type PriceItem,
  type PriceVersion,
  priceVersions,
} from './price-book.ts';
export {
  type BilledServer,
  billPower,
  closeServer,
  openServer,
  resizeServer,
  startServer,
  stopServer,
} from './server-usage.ts';
export { changeUsage, closeUsage, openUsage, type Part, type Subscriber, type Usage } from './usage-spans.ts';
