import { formatMinor } from '#libs/kernel';
import type { Stripe } from '../stripe/types.ts';
import { type CardEntry, cardForm, type EntryError, enterCard, NO_ENTRY, prefilled } from './card-form.ts';
import { pay } from './invoice-collection.ts';
import { type Invoice, linesOf } from './invoice-objects.ts';
import { intentOfInvoice } from './invoice-payments.ts';
import { escapeHtml, messagePage, page } from './pages.ts';
import { pdfOf } from './pdf.ts';
import { StripeProblem } from './problem.ts';
import { type Fields, goTo, type Reply, show } from './reply.ts';
import type { World } from './world.ts';

/** An invoice's page: what it is for, and a form to pay it where it is open. */
export function showInvoice(world: World, id: string, query: Fields): Reply {
  const invoice = finalized(world, id);
  return invoice ? show(invoicePage(world, invoice, prefilled(query))) : unknown();
}

/** Pays an open invoice with the card that was entered. */
export function submitInvoice(world: World, id: string, body: Fields): Reply {
  const invoice = finalized(world, id);
  if (!invoice) return unknown();
  if (!isPayable(invoice)) return show(invoicePage(world, invoice, NO_ENTRY));
  return enterCard(
    world,
    body,
    (method) => payWith(world, invoice, method),
    (entry, error, status) => show(invoicePage(world, world.find('invoice', id), entry, error), status),
  );
}

/** The same as a file. */
export function invoicePdf(world: World, id: string): Reply {
  const invoice = finalized(world, id);
  if (!invoice) return unknown();
  return { status: 200, pdf: pdfOf(textOf(world, invoice)), name: `invoice-${invoice.number}.pdf` };
}

const unknown = () => show(messagePage('Nothing here', 'There is no such invoice.'), 404);
const isPayable = ({ status }: Invoice) => status === 'open' || status === 'uncollectible';
const day = (unixSeconds: number) => new Date(unixSeconds * 1000).toISOString().slice(0, 10);
const sum = (invoice: Invoice, amount: number) => `${formatMinor(amount)} ${invoice.currency.toUpperCase()}`;

function finalized(world: World, id: string): Invoice | undefined {
  const invoice = world.store.get('invoice', id);
  return invoice && invoice.status !== 'draft' ? invoice : undefined;
}

/** @throws StripeProblem 402 where the card is declined. */
function payWith(world: World, invoice: Invoice, method: Stripe.PaymentMethod): Reply {
  try {
    pay(world, invoice, { payment_method: method.id, off_session: false });
  } catch (error) {
    const ask = intentOfInvoice(world, invoice)?.next_action?.redirect_to_url?.url;
    if (error instanceof StripeProblem && ask) return goTo(ask);
    throw error;
  }
  return goTo(`${world.publicUrl}/i/${invoice.id}`);
}

function lines(world: World, invoice: Invoice): Stripe.InvoiceLineItem[] {
  return linesOf(world, invoice.id).map((id) => world.find('line_item', id));
}

function totals(invoice: Invoice): (readonly [string, string])[] {
  const credit = invoice.total - invoice.amount_due;
  return [
    ['Total', sum(invoice, invoice.total)],
    ...(credit === 0 ? [] : [['From your balance', sum(invoice, -credit)] as const]),
    ['Amount due', sum(invoice, invoice.amount_remaining)],
  ];
}

function invoicePage(world: World, invoice: Invoice, entry: CardEntry, error?: EntryError): string {
  const rows = [
    ...lines(world, invoice).map((line) => [line.description ?? '', formatMinor(line.amount)] as const),
    ...totals(invoice),
  ].map(([what, amount]) => `<tr><td>${escapeHtml(what)}</td><td>${escapeHtml(amount)}</td></tr>`);
  const form = cardForm({
    action: `/i/${invoice.id}`,
    button: `Pay ${sum(invoice, invoice.amount_remaining)}`,
    entry,
    error,
  });
  return page(
    `Invoice ${invoice.number}`,
    `<h1>Invoice ${escapeHtml(invoice.number ?? '')}</h1>
<p>${day(invoice.created)} · ${invoice.status} · <a href="/i/${invoice.id}/pdf">Download as PDF</a></p>
<table>${rows.join('')}</table>
${isPayable(invoice) ? form : ''}`,
  );
}

function textOf(world: World, invoice: Invoice): string[] {
  const row = (what: string, amount: string) => `${what.slice(0, 66).padEnd(68)}${amount.padStart(14)}`;
  return [
    'Stripe emulator: no real money',
    '',
    `Invoice ${invoice.number}    ${day(invoice.created)}    ${invoice.status}`,
    `To: ${invoice.customer_name ?? ''} ${invoice.customer_email ?? ''}`,
    '',
    ...lines(world, invoice).map((line) => row(line.description ?? '', formatMinor(line.amount))),
    '',
    ...totals(invoice).map(([what, amount]) => row(what, amount)),
  ];
}
