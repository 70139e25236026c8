import type { EntityManager } from 'typeorm';
import { hasAccount, trustAccount } from '#libs/accounts';
import {
  armRecharge,
  type Collection,
  creditedBy,
  creditPayment,
  dropCollection,
  findCollection,
  giveUpCollected,
  noteCollection,
  notePaid,
  noteRefundSent,
  noteUnpaid,
  recordCollected,
  recordRefunded,
  refundsPayableMinor,
  refundsWaitingFor,
} from '#libs/billing';
import {
  isTopUp,
  noteTopUp,
  type Payment,
  PaymentError,
  type ProviderInvoice,
  type TopUp,
  type TopUpRecord,
  takeTurn,
  topUpOfReference,
} from '#libs/payments';
import { collectOpenInvoices } from './collect-invoices.ts';
import type { MirrorDeps } from './collecting-deps.ts';

/** By this an invoice at the provider is found again. */
export function collectionReference(id: number): string {
  return `collection ${id}`;
}

/** By this a refund at the provider is found again. */
export function refundReference(id: number): string {
  return `refund ${id}`;
}

/**
 * What a payment was made for. `forgotten`: for something of ours that the database does not know, because it was asked
 * for after the backup that was restored. It is the customer's credit then, and pays for the same when that is asked for
 * again.
 */
export type PaidFor =
  | { readonly kind: 'forgotten'; readonly accountId: number }
  | { readonly kind: 'invoices'; readonly accountId: number; readonly collection: Collection }
  | { readonly kind: 'credit'; readonly accountId: number; readonly topUp: TopUpRecord | undefined };

/**
 * Looks at an invoice of the provider and brings the books to it, within a transaction that holds no lock of the books
 * yet. An invoice that is not there any more was a draft that has been thrown away.
 */
export async function lookAtInvoice(
  manager: EntityManager,
  deps: MirrorDeps,
  invoiceId: string,
): Promise<void> {
  await takeTurn(manager, { kind: 'invoice', id: invoiceId });
  try {
    await mirrorInvoice(manager, deps, await deps.provider.invoices.fetch(invoiceId));
  } catch (error) {
    if (!(error instanceof PaymentError && error.code === 'invoice_not_found')) throw error;
    const gone = await findCollection(manager, { providerId: invoiceId });
    if (gone) await dropCollection(manager, gone.id, deps.clock.now());
  }
}

/** Brings the books to an invoice of the provider as it was just seen, in turn. One that is not ours is left alone. */
export async function mirrorInvoice(
  manager: EntityManager,
  deps: MirrorDeps,
  seen: ProviderInvoice,
): Promise<void> {
  const of = await findCollection(manager, { providerId: seen.invoiceId, id: idIn(seen.reference) });
  if (!of) return mirrorForgotten(manager, deps, seen);
  const at = deps.clock.now();
  if (seen.status === 'paid') await mirrorPaid(manager, deps, of, seen);
  await noteCollection(manager, seenCollection(of.id, seen, at));
  if (seen.status === 'uncollectible' || (seen.status === 'void' && of.withdrawnAt === null)) {
    await giveUpCollected(manager, of, at);
  }
  if (seen.status === 'open' && (seen.decline || seen.actionUrl)) {
    await noteUnpaidParts(manager, of, at, seen.decline?.isFinal ?? true);
  }
  await notePaid(manager, { accountId: of.accountId, at });
}

async function mirrorForgotten(
  manager: EntityManager,
  deps: MirrorDeps,
  { reference, accountId, status, paymentId }: ProviderInvoice,
): Promise<void> {
  if (idIn(reference) === undefined || accountId === undefined) return;
  if (status !== 'paid' || paymentId === undefined || !(await hasAccount(manager, accountId))) return;
  const payment = await lookAtPayment(manager, deps, paymentId);
  await mirrorPayment(manager, deps, payment, { kind: 'forgotten', accountId });
}

/** What is open of a collection's invoices is unpaid. */
export async function noteUnpaidParts(
  manager: EntityManager,
  { accountId, parts }: Pick<Collection, 'accountId' | 'parts'>,
  at: Date,
  isHard: boolean,
): Promise<void> {
  for (const { invoiceId } of parts) await noteUnpaid(manager, { accountId, invoiceId, at, isHard });
}

/**
 * An invoice is paid: by the payment that the provider made for it, or else by other means. What is not due of it has
 * been paid by the customer's balance there, which the operator gave them.
 */
async function mirrorPaid(
  manager: EntityManager,
  deps: MirrorDeps,
  of: Collection,
  { invoiceId, paymentId, totalMinor, dueMinor }: ProviderInvoice,
): Promise<void> {
  const payment = paymentId === undefined ? undefined : await lookAtPayment(manager, deps, paymentId);
  const isCharged = payment !== undefined && payment.receivedMinor > 0;
  if (isCharged) {
    const { accountId } = of;
    await mirrorPayment(manager, deps, payment, { kind: 'invoices', accountId, collection: of });
  }
  const elsewhereMinor = isCharged ? Math.max(0, totalMinor - dueMinor) : Math.max(totalMinor, dueMinor);
  if (elsewhereMinor === 0) return;
  const money = { paymentId: invoiceId, amountMinor: elsewhereMinor, at: deps.clock.now() };
  await recordCollected(manager, of, money, 'bank');
}

/** A payment as it is now; who looks takes turns until the transaction ends. */
export async function lookAtPayment(
  manager: EntityManager,
  { provider }: Pick<MirrorDeps, 'provider'>,
  paymentId: string,
): Promise<Payment> {
  await takeTurn(manager, { kind: 'payment', id: paymentId });
  return provider.money.fetchPayment(paymentId);
}

/** Brings the books to a payment as it was just seen, in turn: what came in by it, and what went back. */
export async function mirrorPayment(
  manager: EntityManager,
  deps: MirrorDeps,
  payment: Payment,
  known?: PaidFor,
): Promise<void> {
  const paidFor = known ?? (await paidForBy(manager, payment));
  if (!paidFor) return;
  if (paidFor.kind === 'credit' && paidFor.topUp) await noteRecharge(manager, deps, paidFor.topUp, payment);
  if (payment.receivedMinor === 0) return;
  // Holds of orders are captured and refunded in their own way.
  if (paidFor.kind === 'credit' && !paidFor.topUp) return;
  if (paidFor.kind === 'invoices') await receiveForInvoices(manager, deps, paidFor.collection, payment);
  else await receiveForCredit(manager, deps, paidFor, payment);
  await mirrorRefunds(manager, deps, paidFor, payment);
}

/** What a payment is for, where it is one of ours. */
export async function paidForBy(manager: EntityManager, payment: Payment): Promise<PaidFor | undefined> {
  if (payment.invoiceId !== undefined) {
    const collection = await findCollection(manager, { providerId: payment.invoiceId });
    if (collection) return { kind: 'invoices', accountId: collection.accountId, collection };
    const creditedId = await creditedBy(manager, payment.paymentId);
    return creditedId === undefined ? undefined : { kind: 'forgotten', accountId: creditedId };
  }
  const { accountId } = payment;
  if (accountId === undefined) return undefined;
  if (payment.orderId !== undefined) return { kind: 'credit', accountId, topUp: undefined };
  const topUp = await topUpOfReference(manager, payment.reference);
  if (topUp) return topUp.accountId === accountId ? { kind: 'credit', accountId, topUp } : undefined;
  const isOurs = isTopUp(payment.reference) && (await hasAccount(manager, accountId));
  return isOurs ? { kind: 'forgotten', accountId } : undefined;
}

/** Brings the books to a page on which a customer pays in, as it was just seen, in turn. */
export async function mirrorTopUp(manager: EntityManager, deps: MirrorDeps, seen: TopUp): Promise<void> {
  const topUp = await topUpOfReference(manager, seen.reference);
  if (!topUp || topUp.accountId !== seen.accountId) return;
  const payment =
    seen.paymentId === undefined ? undefined : await lookAtPayment(manager, deps, seen.paymentId);
  if (payment) await mirrorPayment(manager, deps, payment);
  const { status, paymentId = null } = seen;
  const declineCode = payment?.decline?.code ?? null;
  await noteTopUp(manager, topUp.id, { status, paymentId, declineCode, at: deps.clock.now() });
}

async function receiveForInvoices(
  manager: EntityManager,
  { clock }: MirrorDeps,
  of: Collection,
  { paymentId, receivedMinor: amountMinor }: Payment,
): Promise<void> {
  const at = clock.now();
  if (!(await recordCollected(manager, of, { paymentId, amountMinor, at }))) return;
  await trustAccount(manager, of.accountId);
  await notePaid(manager, { accountId: of.accountId, at });
}

async function receiveForCredit(
  manager: EntityManager,
  { sagas, clock }: MirrorDeps,
  paidFor: Exclude<PaidFor, { kind: 'invoices' }>,
  { paymentId, receivedMinor: amountMinor, currency }: Payment,
): Promise<void> {
  const { accountId } = paidFor;
  const cause = { kind: 'top_up', id: paymentId };
  const note = paidFor.kind === 'forgotten' ? 'A payment that is for no invoice' : 'Paid in';
  const isNews = await creditPayment(manager, {
    accountId,
    currency,
    amountMinor,
    cause,
    note,
    at: clock.now(),
  });
  if (!isNews) return;
  if (paidFor.kind === 'credit' && paidFor.topUp?.kind === 'recharge') {
    await armRecharge(manager, accountId, true);
  }
  await collectOpenInvoices(manager, sagas, accountId);
}

/** A recharge has no page that would tell how it ended. */
async function noteRecharge(
  manager: EntityManager,
  { clock }: MirrorDeps,
  { id, kind }: TopUpRecord,
  { paymentId, status, decline, receivedMinor }: Payment,
): Promise<void> {
  const ends = {
    declined: 'failed',
    cancelled: 'failed',
    requires_action: 'failed',
    succeeded: 'paid',
  } as const;
  const end = status === 'opened' || status === 'processing' ? undefined : ends[status];
  const isPaid = receivedMinor > 0;
  if (kind !== 'recharge' && !isPaid) return;
  const now = isPaid ? 'paid' : (end ?? (status === 'processing' ? 'processing' : 'open'));
  await noteTopUp(manager, id, {
    status: now,
    paymentId,
    declineCode: decline?.code ?? (status === 'requires_action' ? 'authentication_required' : null),
    at: clock.now(),
  });
}

async function mirrorRefunds(
  manager: EntityManager,
  { provider, sagas, findings, clock }: MirrorDeps,
  { kind, accountId }: PaidFor,
  { paymentId, currency, refundedMinor }: Payment,
): Promise<void> {
  const at = clock.now();
  const sent: { readonly id: number; readonly refundId: string }[] = [];
  const waiting = kind === 'invoices' && refundedMinor > 0 ? await refundsWaitingFor(manager, paymentId) : [];
  for (const id of waiting) {
    const found = await provider.money.findRefund({ paymentId, reference: refundReference(id) });
    if (found) sent.push({ id, refundId: found.refundId });
  }
  const of = kind === 'invoices' ? kind : 'credit';
  const money = { accountId, currency, paymentId, refundedMinor, of, at } as const;
  const changedMinor = await recordRefunded(manager, money);
  // With the money, or it would be on its way and booked at once, and the next credit note would promise less.
  for (const { id, refundId } of sent) await noteRefundSent(manager, id, refundId, at);
  if (changedMinor < 0 && of === 'credit') await collectOpenInvoices(manager, sagas, accountId);
  if (changedMinor === 0 || kind !== 'invoices') return;
  await tellOfUnexplained(manager, findings, accountId, currency);
}

/** Money that was given back without a credit note that says why. */
export async function tellOfUnexplained(
  manager: EntityManager,
  findings: MirrorDeps['findings'],
  accountId: number,
  currency: string,
): Promise<void> {
  const owedMinor = await refundsPayableMinor(manager, accountId, currency);
  const subject = `account ${accountId}`;
  if (owedMinor >= 0) return findings.resolve(manager, 'refund_unexplained', [subject]);
  const details = { amountMinor: -owedMinor, currency, advice: 'issue a credit note over it' };
  await findings.report({ kind: 'refund_unexplained', hostId: null, subject, details }, manager);
}

/** An invoice of the provider in the words of the books. */
export function seenCollection(id: number, seen: ProviderInvoice, at: Date) {
  return {
    id,
    at,
    providerId: seen.invoiceId,
    customerId: seen.customerId,
    status: seen.status,
    paymentId: seen.paymentId ?? null,
    decline: seen.decline,
    actionUrl: seen.actionUrl ?? null,
    pageUrl: seen.pageUrl ?? null,
    pdfUrl: seen.pdfUrl ?? null,
    nextAttemptAt: seen.nextAttemptAt ?? null,
    dueAt: seen.dueAt ?? null,
  };
}

function idIn(reference: string | undefined): number | undefined {
  const [, id] = /^collection (\d{1,16})$/.exec(reference ?? '') ?? [];
  return id === undefined ? undefined : Number(id);
}
