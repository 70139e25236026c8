export { type AccountBalance, accountBalance } from './account-balance.ts';
export { type AccountFilter, type AccountOverview, accountOverviews } from './account-overview.ts';
export {
  type Arrears,
  arrearsOf,
  dueForHarm,
  notePaid,
  noteUnpaid,
  openArrears,
  owedInArrears,
  settledArrears,
  takeDueRetries,
  takeDueStep,
} from './arrears.ts';
export { creditNoteDetail, priceChangeDetail, promotionDetail } from './audit-details.ts';
export {
  type BalanceMovement,
  ledgerOfPayment,
  type MovedDifferently,
  type MovementKind,
  movedDifferently,
  movementsMinor,
  noteRefundFailureSeen,
  recordMovement,
  unseenRefundFailures,
} from './balance-movements.ts';
export { type BalanceSweep, noteBalanceSweep, takeBalanceSweep } from './balance-sweep.ts';
export { BillingError, type BillingErrorCode } from './billing.errors.ts';
export {
  type BillingAccount,
  type BooksLock,
  ensureBooks,
  lockBooks,
  setTier,
  type TrustTier,
} from './billing-accounts.ts';
export {
  type CardRefund,
  cardRefunds,
  noteRefundSent,
  notesWaitingFor,
  planCardRefunds,
  refundsWaitingFor,
} from './card-refunds.ts';
export { LEDGER_UNITS, type LedgerAccount } from './chart-of-accounts.ts';
export { type BooksDifference, checkBooks } from './check-books.ts';
export { type Closing, closeAccount, type Issued, type OnIssued } from './close-account.ts';
export { closeDue } from './close-due.ts';
export { type ClosingReport, closeMonth, type MonthClosing } from './close-month.ts';
export { collectInvoiceRequest } from './collect-invoice.request.ts';
export {
  giveUpCollected,
  type ReceivedMoney,
  type RefundedMoney,
  recordCollected,
  recordRefunded,
  refundsPayableMinor,
} from './collected.ts';
export {
  type Collection,
  type CollectionPart,
  type CollectionStatus,
  collection,
  collectionsOf,
  dropCollection,
  findCollection,
  isTakenBack,
  LEAST_CHARGE_MINOR,
  noteCollection,
  openCollection,
  type SeenCollection,
  withdrawStale,
} from './collections.ts';
export {
  type CreditGrant,
  type CreditLot,
  type CreditSource,
  countCreditLots,
  creditBalanceMinor,
  creditedBy,
  creditLots,
  creditPayment,
  grantCredit,
  type NewCredit,
} from './credit.ts';
export { expireCredit } from './credit-expiry.ts';
export {
  type CreditNote,
  creditNotes,
  issueCreditNote,
  type RefundRequest,
} from './credit-notes.ts';
export { takeBackPayment } from './credit-reversal.ts';
export { closeDispute, type DisputedMoney, type EndedDispute, openDispute } from './disputes.ts';
export { type DocumentNumber, formatNumber } from './document-number.ts';
export {
  DUNNING_STEPS,
  type DunningSettings,
  type DunningStep,
  hasReached,
  stepDueOn,
} from './dunning-ladder.ts';
export { changeDunningSettings, dunningSettings } from './dunning-settings.ts';
export { creditFailedRefund, type FailedRefund } from './failed-refunds.ts';
export {
  countInvoiceLines,
  countInvoices,
  type Invoice,
  type InvoiceFilter,
  type InvoiceLine,
  type InvoiceReason,
  invoice,
  invoiceLines,
  invoices,
  lockInvoice,
} from './invoices.ts';
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
export { type MonthSpending, monthForecast, monthSpending } from './month-spending.ts';
export { closeAboveThreshold, openAmountMinor, openUsageOf } from './open-usage.ts';
export {
  armRecharge,
  availableCreditMinor,
  type Paying,
  payingOf,
  type Recharge,
  setPaying,
  setRecharge,
} from './paying.ts';
export {
  type Component,
  changePrice,
  firstPrice,
  monthlyPrices,
  type Price,
  type PriceItem,
  type PriceVersion,
  priceVersions,
} from './price-book.ts';
export {
  countPromotionCampaigns,
  endPromotion,
  type PromotionCampaign,
  promotionCampaign,
  promotionCampaigns,
} from './promotion-campaigns.ts';
export {
  createPromotionCode,
  type PromotionCode,
  redeemPromotionCode,
} from './promotions.ts';
export {
  type CostLine,
  costsByMonth,
  type EntryFilter,
  type EntrySum,
  ledgerEntries,
  ledgerSums,
  type PostedEntry,
  type ReceivableAge,
  type RevenueLine,
  receivablesByAge,
  revenueByMonth,
} from './reports.ts';
export {
  type BilledServer,
  billPower,
  closeServer,
  isDearerImage,
  openImage,
  openServer,
  reimageServer,
  resizeServer,
  startServer,
  stopServer,
} from './server-usage.ts';
export { type BillingSettings, billingSettings, changeBillingSettings, type Seller } from './settings.ts';
export { type InvoiceSettlement, invoiceSettlements } from './settlement-list.ts';
export {
  type InvoiceMoney,
  payWithCredit,
  recordPayment,
  type SettlementKind,
  writeOff,
} from './settlements.ts';
export type { BilledSpan, SpanCharge } from './span-stream.ts';
export {
  alertedPercents,
  alertSpending,
  type SpendingAlert,
  type SpendingReport,
  type TellSpending,
} from './spending-alerts.ts';
export {
  ALERT_PERCENTS,
  type AlertPercent,
  assertBelowSpendingLimit,
  type SpendingLimit,
  setSpendingLimit,
  spendingLimit,
} from './spending-limit.ts';
export {
  type BillingProfile,
  billingProfile,
  setBillingProfile,
  setTaxRate,
  type Tax,
  type TaxRate,
  type TaxTreatment,
  taxRates,
} from './tax.ts';
export { type PlaceUsage, usageBy } from './usage-by.ts';
export { changeUsage, closeUsage, openUsage, type Part, type Subscriber, type Usage } from './usage-spans.ts';
export { type UsageKey, type UsageSum, usageSums } from './usage-sums.ts';
export { parseVatId } from './vat-id.ts';
export { openVolume, resizeVolume } from './volume-usage.ts';
