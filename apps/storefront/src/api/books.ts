import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import {
  arrearsListResponse,
  bookedInvoiceListResponse,
  creditNoteListResponse,
  creditNoteResponse,
  customerListResponse,
  grantCreditResponse,
  invoiceLineListResponse,
  invoiceResponse,
  ledgerEntryListResponse,
  priceBookResponse,
  receivablesResponse,
  revenueResponse,
} from '#libs/contracts';
import { call } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

/** What of a list is asked for; what is undefined is not asked. */
export type Asked = Readonly<Record<string, string | number | undefined>>;

function search(asked: Asked): string {
  const pairs = Object.entries(asked).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return new URLSearchParams(pairs).toString();
}

export const revenueQuery = queryOptions({
  queryKey: ['books', 'revenue'],
  queryFn: ({ signal }) => call('/books/revenue', revenueResponse, { signal }),
});

export const receivablesQuery = queryOptions({
  queryKey: ['books', 'receivables'],
  queryFn: async ({ signal }) =>
    (await call('/books/receivables', receivablesResponse, { signal })).receivables,
});

export const arrearsQuery = queryOptions({
  queryKey: ['books', 'arrears'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) => call(`/books/arrears?per_page=${PER_PAGE}&page=${page}`, arrearsListResponse, { signal }),
      ({ arrears }) => arrears,
    ),
});

export function bookedInvoicesQuery(asked: Asked) {
  return queryOptions({
    queryKey: ['books', 'invoices', asked],
    queryFn: ({ signal }) => call(`/books/invoices?${search(asked)}`, bookedInvoiceListResponse, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function bookedInvoiceQuery(id: number) {
  return queryOptions({
    queryKey: ['books', 'invoice', id],
    queryFn: async ({ signal }) => (await call(`/books/invoices/${id}`, invoiceResponse, { signal })).invoice,
  });
}

export function bookedLinesQuery(id: number, page: number) {
  return queryOptions({
    queryKey: ['books', 'invoice', id, 'lines', { page }],
    queryFn: async ({ signal }) => {
      const path = `/books/invoices/${id}/lines?per_page=${PER_PAGE}&page=${page}`;
      const { lines, meta } = await call(path, invoiceLineListResponse, { signal });
      return { lines, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
  });
}

export function customersQuery(asked: Asked) {
  return queryOptions({
    queryKey: ['books', 'customers', asked],
    queryFn: ({ signal }) => call(`/books/customers?${search(asked)}`, customerListResponse, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function entriesQuery(asked: Asked) {
  return queryOptions({
    queryKey: ['books', 'entries', asked],
    queryFn: ({ signal }) => call(`/books/entries?${search(asked)}`, ledgerEntryListResponse, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function creditNotesQuery(page: number) {
  return queryOptions({
    queryKey: ['books', 'credit_notes', { page }],
    queryFn: ({ signal }) => call(`/books/credit_notes?page=${page}`, creditNoteListResponse, { signal }),
    placeholderData: keepPreviousData,
  });
}

export const pricesQuery = queryOptions({
  queryKey: ['books', 'prices'],
  queryFn: ({ signal }) => call('/books/prices', priceBookResponse, { signal }),
});

export async function grantCredit(
  customerId: number,
  body: { amount_minor: number; note: string; expires?: string },
  idempotencyKey: string,
) {
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call(`/books/customers/${customerId}/credits`, grantCreditResponse, options)).credit_grant;
}

export function changePrice(
  body: { item: string; hourly: string; effective_from?: string },
  idempotencyKey: string,
) {
  return call('/books/prices', priceBookResponse, { method: 'POST', body, idempotencyKey });
}

export async function writeOffInvoice(id: number) {
  const path = `/books/invoices/${id}/actions/write_off`;
  return (await call(path, invoiceResponse, { method: 'POST' })).invoice;
}

export async function giveBack(
  invoiceId: number,
  body: { amount_minor: number; refund_to: 'card' | 'credit'; reason: string },
  idempotencyKey: string,
) {
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call(`/books/invoices/${invoiceId}/credit_notes`, creditNoteResponse, options)).credit_note;
}
