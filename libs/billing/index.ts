export { type CreditEntry, creditAccount, creditBalanceMinor } from './account-credit.ts';
export { closeSpan, type NewSpan, openSpan } from './usage-spans.ts';
