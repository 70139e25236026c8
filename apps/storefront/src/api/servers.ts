import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import {
  actionListResponse,
  actionResponse,
  applicationSecretsResponse,
  createServerResponse,
  credentialsResponse,
  enableRescueResponse,
  orderResponse,
  type RequestConsoleInput,
  type RequestConsoleWire,
  rebuildServerResponse,
  requestConsoleResponse,
  type ServerStatus,
  type ServerWire,
  serverListResponse,
  serverResponse,
} from '#libs/contracts';
import { ApiError, call, newIdempotencyKey } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';
import { backOffMs } from './polling.ts';

export interface ServerOrder {
  readonly name: string;
  readonly server_type: string;
  readonly image: string;
  readonly ssh_keys: readonly number[];
  readonly volumes?: readonly number[];
  readonly automount?: boolean;
}

/** Places the order: Hetzner's `POST /servers`. */
export function createServer(body: ServerOrder, idempotencyKey: string) {
  return call('/servers', createServerResponse, { method: 'POST', body, idempotencyKey });
}

export interface CloneOrder {
  readonly name: string;
  readonly exact: boolean;
  readonly hold_timers?: boolean;
}

/** Orders a copy of a server. */
export function cloneServer(id: number, body: CloneOrder, idempotencyKey: string) {
  return call(`/servers/${id}/clone`, createServerResponse, { method: 'POST', body, idempotencyKey });
}

const ACTIONS_AT_ONCE = 10;

const BUSY = new Set<ServerStatus>([
  'initializing',
  'starting',
  'stopping',
  'deleting',
  'rebuilding',
  'migrating',
]);

/** All servers of the project, the newest first, for choosing one. */
export const everyServerQuery = queryOptions({
  queryKey: ['servers', 'every'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) =>
        call(`/servers?sort=created:desc&per_page=${PER_PAGE}&page=${page}`, serverListResponse, { signal }),
      (answer) => answer.servers,
    ),
});

/** One page of the project's servers, the newest first. */
export function serversQuery(page: number) {
  return queryOptions({
    queryKey: ['servers', { page }],
    queryFn: async ({ signal }) => {
      const path = `/servers?per_page=${PER_PAGE}&page=${page}&sort=created:desc`;
      const { servers, meta } = await call(path, serverListResponse, { signal });
      return { servers, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.servers.some((one) => BUSY.has(one.status) || one.locked) ? 2_000 : 10_000,
  });
}

export function serverQuery(id: number) {
  return queryOptions({
    queryKey: ['servers', id],
    queryFn: async ({ signal }) => (await call(`/servers/${id}`, serverResponse, { signal })).server,
    refetchInterval: ({ state }) => {
      if (state.error instanceof ApiError && state.error.status === 404) return false;
      return state.data && !BUSY.has(state.data.status) && !state.data.locked ? 10_000 : 2_000;
    },
  });
}

export type MenuAction = 'poweron' | 'shutdown' | 'reboot' | 'poweroff' | 'reset' | 'reset_password';
export type ServerAction = MenuAction | 'open_network' | 'disable_rescue' | 'detach_iso';

export async function actOnServer(id: number, name: ServerAction) {
  const options = { method: 'POST', body: {}, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/servers/${id}/actions/${name}`, actionResponse, options)).action;
}

/** Changes what needs no host: the name that lists show, and the labels. */
export async function updateServer(id: number, body: { name?: string; labels?: Record<string, string> }) {
  return (await call(`/servers/${id}`, serverResponse, { method: 'PUT', body })).server;
}

/** Puts a fresh disk of the image in the place of the server's own. */
export async function rebuildServer(id: number, image: string, idempotencyKey: string) {
  const options = { method: 'POST', body: { image }, idempotencyKey } as const;
  return (await call(`/servers/${id}/actions/rebuild`, rebuildServerResponse, options)).action;
}

/** Has the next boot be from a rescue system, which lets these keys in; a password, where there are none, is in the answer. */
export function enableRescue(id: number, sshKeys: readonly number[], idempotencyKey: string) {
  const options = { method: 'POST', body: { ssh_keys: sshKeys }, idempotencyKey } as const;
  return call(`/servers/${id}/actions/enable_rescue`, enableRescueResponse, options);
}

export interface TypeChange {
  readonly server_type: string;
  readonly upgrade_disk: boolean;
  /** Where it runs. */
  readonly restart: boolean;
}

/** Makes a server larger or smaller; it runs afterwards. */
export async function changeServerType(id: number, body: TypeChange, idempotencyKey: string) {
  const options = { method: 'POST', body, idempotencyKey } as const;
  return (await call(`/servers/${id}/actions/change_type`, actionResponse, options)).action;
}

/** Guards a server against deletion and rebuilds, or lets them be again; what is not given stays. */
export async function setProtection(id: number, body: Partial<ServerWire['protection']>) {
  const options = { method: 'POST', body, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/servers/${id}/actions/change_protection`, actionResponse, options)).action;
}

export async function deleteServer(id: number) {
  return (await call(`/servers/${id}`, actionResponse, { method: 'DELETE' })).action;
}

/** Shows the secrets of the application, once, as `revealCredentials` does the password. */
export async function revealApplicationSecrets(id: number, idempotencyKey: string) {
  const options = { method: 'POST', body: {}, idempotencyKey } as const;
  return (await call(`/servers/${id}/actions/reveal_secrets`, applicationSecretsResponse, options)).secrets;
}

/**
 * Shows the password, once: a second call is refused with `gone`. A repeat with the same key after a lost
 * answer is the same one showing.
 */
export async function revealCredentials(id: number, idempotencyKey: string) {
  const options = { method: 'POST', body: {}, idempotencyKey } as const;
  return (await call(`/servers/${id}/actions/reveal_credentials`, credentialsResponse, options)).credentials;
}

/** An address for one opening of its screen or serial port, within a minute. */
export function requestConsole(id: number, body: RequestConsoleInput): Promise<RequestConsoleWire> {
  return call(`/servers/${id}/actions/request_console`, requestConsoleResponse, { method: 'POST', body });
}

/** An action with its real steps, asked for less often the longer it runs. */
export function actionQuery(id: number | null) {
  return queryOptions({
    queryKey: ['actions', id],
    queryFn: async ({ signal }) => (await call(`/actions/${id}`, actionResponse, { signal })).action,
    enabled: id !== null,
    refetchInterval: ({ state }) =>
      state.data && state.data.status !== 'running' ? false : backOffMs(state.data?.started, Date.now()),
  });
}

/** The actions of a server, newest first, a few at a time. */
export function serverActionsQuery(id: number) {
  return infiniteQueryOptions({
    queryKey: ['servers', id, 'actions'],
    queryFn: ({ signal, pageParam }) =>
      call(
        `/servers/${id}/actions?sort=started:desc&per_page=${ACTIONS_AT_ONCE}&page=${pageParam}`,
        actionListResponse,
        { signal },
      ),
    initialPageParam: 1,
    getNextPageParam: ({ meta }) => meta.pagination.next_page,
    select: ({ pages }) => pages.flatMap(({ actions }) => actions),
  });
}

export function orderQuery(id: number) {
  return queryOptions({
    queryKey: ['orders', id],
    queryFn: async ({ signal }) => (await call(`/orders/${id}`, orderResponse, { signal })).order,
    refetchInterval: ({ state }) =>
      state.data && state.data.status !== 'placed' ? false : backOffMs(state.data?.created, Date.now()),
  });
}
