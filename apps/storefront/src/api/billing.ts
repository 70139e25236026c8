import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import {
  balanceResponse,
  billingProfileResponse,
  createTopUpResponse,
  creditListResponse,
  forecastResponse,
  invoiceLineListResponse,
  invoiceListResponse,
  invoiceResponse,
  type LimitsWire,
  limitsResponse,
  openPortalResponse,
  type RechargeWire,
  rechargeResponse,
  redeemPromotionCodeResponse,
  usageResponse,
} from '#libs/contracts';
import { call } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

const STALE_MS = 30_000;

export const balanceQuery = queryOptions({
  queryKey: ['billing', 'balance'],
  queryFn: async ({ signal }) => (await call('/billing/balance', balanceResponse, { signal })).balance,
  staleTime: STALE_MS,
});

export const forecastQuery = queryOptions({
  queryKey: ['billing', 'forecast'],
  queryFn: async ({ signal }) => (await call('/billing/forecast', forecastResponse, { signal })).forecast,
  staleTime: STALE_MS,
});

/** The use of this month so far by day and kind. */
export const dayUsageQuery = queryOptions({
  queryKey: ['billing', 'usage', 'day'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) =>
        call(`/billing/usage?by=day&by=kind&per_page=${PER_PAGE}&page=${page}`, usageResponse, { signal }),
      ({ usage }) => usage,
    ),
  staleTime: STALE_MS,
});

/** The use of this month so far by server, the dearest first. */
export function serverUsageQuery(page: number) {
  return queryOptions({
    queryKey: ['billing', 'usage', 'server', { page }],
    queryFn: async ({ signal }) => {
      const path = `/billing/usage?by=server&per_page=25&page=${page}`;
      const { usage, net, meta } = await call(path, usageResponse, { signal });
      return { usage, net, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
    staleTime: STALE_MS,
  });
}

export function invoicesQuery(page: number) {
  return queryOptions({
    queryKey: ['billing', 'invoices', { page }],
    queryFn: async ({ signal }) => {
      const { invoices, meta } = await call(`/invoices?page=${page}`, invoiceListResponse, { signal });
      return { invoices, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
  });
}

export function invoiceQuery(id: number) {
  return queryOptions({
    queryKey: ['billing', 'invoice', id],
    queryFn: async ({ signal }) => (await call(`/invoices/${id}`, invoiceResponse, { signal })).invoice,
  });
}

export function invoiceLinesQuery(id: number, page: number) {
  return queryOptions({
    queryKey: ['billing', 'invoice', id, 'lines', { page }],
    queryFn: async ({ signal }) => {
      const path = `/invoices/${id}/lines?per_page=${PER_PAGE}&page=${page}`;
      const { lines, meta } = await call(path, invoiceLineListResponse, { signal });
      return { lines, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
  });
}

export function creditsQuery(page: number) {
  return queryOptions({
    queryKey: ['billing', 'credit', { page }],
    queryFn: async ({ signal }) => {
      const { credits, meta } = await call(`/billing/credit?page=${page}`, creditListResponse, { signal });
      return { credits, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
  });
}

export const billingProfileQuery = queryOptions({
  queryKey: ['billing', 'profile'],
  queryFn: async ({ signal }) =>
    (await call('/billing/profile', billingProfileResponse, { signal })).billing_profile,
});

export interface ProfileForm {
  readonly name: string;
  readonly address: string;
  readonly country: string;
  readonly vat_id: string;
}

export async function saveBillingProfile(body: ProfileForm) {
  const options = { method: 'PUT', body } as const;
  return (await call('/billing/profile', billingProfileResponse, options)).billing_profile;
}

export const limitsQuery = queryOptions({
  queryKey: ['billing', 'limits'],
  queryFn: async ({ signal }) => (await call('/billing/limits', limitsResponse, { signal })).limits,
});

export async function saveLimit(spending: LimitsWire['spending']) {
  return (await call('/billing/limits', limitsResponse, { method: 'PUT', body: { spending } })).limits;
}

export const rechargeQuery = queryOptions({
  queryKey: ['billing', 'recharge'],
  queryFn: ({ signal }) => call('/billing/recharge', rechargeResponse, { signal }),
});

export function saveRecharge(recharge: RechargeWire | null) {
  return call('/billing/recharge', rechargeResponse, { method: 'PUT', body: { recharge } });
}

/** Turns a code into credit; each code once. */
export async function redeemCode(code: string, idempotencyKey: string) {
  const options = { method: 'POST', body: { code }, idempotencyKey } as const;
  return (await call('/billing/promotion_codes', redeemPromotionCodeResponse, options)).credit;
}

/** Opens the payment provider's page on which credit is paid in; it comes back to the page of credit. */
export async function openTopUp(amountMinor: number, idempotencyKey: string): Promise<string> {
  const body = { amount_minor: amountMinor, return_path: '/billing/credit' };
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call('/billing/top_ups', createTopUpResponse, options)).top_up.url;
}

/** Opens the payment provider's page on which cards and invoices are managed. */
export async function openPortal(idempotencyKey: string): Promise<string> {
  const body = { return_path: '/billing/settings' };
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call('/billing/portal', openPortalResponse, options)).portal.url;
}
