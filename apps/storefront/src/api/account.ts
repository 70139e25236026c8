import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import {
  accountResponse,
  apiTokenListResponse,
  createApiTokenResponse,
  createPaymentSetupResponse,
  mailedLinkResponse,
  paymentMethodListResponse,
  paymentSetupResponse,
  projectResponse,
  signUpResponse,
  sshKeyListResponse,
  sshKeyResponse,
  type TokenAccess,
} from '#libs/contracts';
import { ApiError, call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';
import { chooseProject, currentProjectId } from './project.ts';

/** The signed-in account, or null for a visitor. */
export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: async ({ signal }) => {
    try {
      return (await call('/account', accountResponse, { signal })).account;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) return null;
      if (error.status !== 404 || currentProjectId() === null) throw error;
      // This tab had chosen a project of somebody who was signed in before.
      chooseProject(null);
      return (await call('/account', accountResponse, { signal })).account;
    }
  },
  staleTime: 30_000,
});

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export function signUp(credentials: Credentials) {
  const options = { method: 'POST', body: credentials, idempotencyKey: newIdempotencyKey() } as const;
  return call('/accounts', signUpResponse, options);
}

export function signIn(credentials: Credentials): Promise<unknown> {
  return call('/sessions', z.unknown(), { method: 'POST', body: credentials });
}

export function signOut(): Promise<null> {
  return call('/sessions/current', nothing, { method: 'DELETE' });
}

/** Sends the mail again that confirms the address of the account. */
export function sendConfirmation(): Promise<null> {
  return call('/email_confirmations', nothing, { method: 'POST' });
}

/** Follows the link of such a mail, once for each token however often the page asks. */
export function emailConfirmationQuery(token: string) {
  return queryOptions({
    queryKey: ['email_confirmation', token],
    queryFn: async () => {
      const options = { method: 'POST', body: { token } } as const;
      return (await call('/email_confirmations/actions/complete', mailedLinkResponse, options)).account;
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** The same answer whether there is such an account. */
export function requestPasswordReset(email: string): Promise<null> {
  return call('/password_resets', nothing, { method: 'POST', body: { email } });
}

export async function resetPassword(body: { token: string; password: string; revoke_api_tokens: boolean }) {
  const options = { method: 'POST', body } as const;
  return (await call('/password_resets/actions/complete', mailedLinkResponse, options)).account;
}

export async function createProject(name: string, idempotencyKey: string) {
  const options = { method: 'POST', body: { name }, idempotencyKey } as const;
  return (await call('/projects', projectResponse, options)).project;
}

export const apiTokensQuery = queryOptions({
  queryKey: ['api_tokens'],
  queryFn: async ({ signal }) => (await call('/api_tokens', apiTokenListResponse, { signal })).api_tokens,
});

/** Creates a token; its 64 characters are in this answer and nowhere else. */
export function createApiToken(
  body: { name: string; access: TokenAccess; sees_money: boolean },
  idempotencyKey: string,
) {
  return call('/api_tokens', createApiTokenResponse, {
    method: 'POST',
    body,
    idempotencyKey,
  });
}

export function revokeApiToken(id: number): Promise<null> {
  return call(`/api_tokens/${id}`, nothing, { method: 'DELETE' });
}

export const sshKeysQuery = queryOptions({
  queryKey: ['ssh_keys'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) => call(`/ssh_keys?per_page=${PER_PAGE}&page=${page}`, sshKeyListResponse, { signal }),
      ({ ssh_keys: keys }) => keys,
    ),
});

export async function createSshKey(body: { name: string; public_key: string }, idempotencyKey: string) {
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call('/ssh_keys', sshKeyResponse, options)).ssh_key;
}

export function deleteSshKey(id: number): Promise<null> {
  return call(`/ssh_keys/${id}`, nothing, { method: 'DELETE' });
}

export const paymentMethodsQuery = queryOptions({
  queryKey: ['payment_methods'],
  queryFn: async ({ signal }) => {
    return (await call('/payment_methods', paymentMethodListResponse, { signal })).payment_methods;
  },
});

/** Opens a hosted page that takes a card; it comes back to `/cards/return?setup=…`. */
export async function startCardSetup(idempotencyKey: string): Promise<{ id: string; url: string }> {
  const body = { return_path: '/cards/return' };
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call('/payment_methods/setups', createPaymentSetupResponse, options)).setup;
}

export function cardSetupQuery(id: string) {
  return queryOptions({
    queryKey: ['card_setup', id],
    queryFn: async ({ signal }) =>
      (await call(`/payment_methods/setups/${encodeURIComponent(id)}`, paymentSetupResponse, { signal }))
        .setup,
  });
}

export function deletePaymentMethod(id: number): Promise<null> {
  return call(`/payment_methods/${id}`, nothing, { method: 'DELETE' });
}
