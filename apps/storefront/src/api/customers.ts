import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import {
  accountSuspensionsResponse,
  type CustomerDetailsWire,
  type createPromotion,
  customerResponse,
  promotionListResponse,
  promotionResponse,
  type updateCustomer,
} from '#libs/contracts';
import { call } from './client.ts';

/** What an operator knows of one customer and does about them, and the codes that customers redeem. */

export function customerQuery(id: number) {
  return queryOptions({
    queryKey: ['books', 'customer', id],
    queryFn: async ({ signal }) =>
      (await call(`/books/customers/${id}`, customerResponse, { signal })).customer,
  });
}

export async function updateCustomerAs(
  id: number,
  body: z.input<typeof updateCustomer>,
): Promise<CustomerDetailsWire> {
  return (await call(`/books/customers/${id}`, customerResponse, { method: 'PUT', body })).customer;
}

export function standingQuery(id: number) {
  return queryOptions({
    queryKey: ['books', 'standing', id],
    queryFn: async ({ signal }) =>
      (await call(`/operator/accounts/${id}`, accountSuspensionsResponse, { signal })).account.suspensions,
  });
}

export type OperatorReason = 'abuse' | 'operator';

export async function suspendAccountFor(id: number, body: { reason: OperatorReason; note: string }) {
  const options = { method: 'POST', body } as const;
  return (await call(`/operator/accounts/${id}/actions/suspend`, accountSuspensionsResponse, options))
    .account;
}

export async function liftSuspension(id: number, reason: OperatorReason) {
  const options = { method: 'POST', body: { reason } } as const;
  return (await call(`/operator/accounts/${id}/actions/unsuspend`, accountSuspensionsResponse, options))
    .account;
}

export function promotionsQuery(page: number) {
  return queryOptions({
    queryKey: ['books', 'promotions', { page }],
    queryFn: ({ signal }) => call(`/books/promotions?page=${page}`, promotionListResponse, { signal }),
    placeholderData: keepPreviousData,
  });
}

export async function makePromotion(body: z.input<typeof createPromotion>, idempotencyKey: string) {
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call('/books/promotions', promotionResponse, options)).promotion;
}

export async function endPromotion(code: string) {
  const path = `/books/promotions/${encodeURIComponent(code)}/actions/end`;
  return (await call(path, promotionResponse, { method: 'POST' })).promotion;
}
