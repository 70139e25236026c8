import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { z } from 'zod';
import {
  actionResponse,
  type CreateServerResponse,
  createServerResponse,
  errorResponse,
  hostListResponse,
  type ServerWire,
  serverListResponse,
  serverResponse,
  sshKeyResponse,
} from '#libs/contracts';
import { sleep } from '#libs/kernel';
import type { Ledger } from '#libs/payments/emulator';
import { newSshKey, runBySsh, type SshLogin } from '../browser/ssh.fixture.ts';

/** From an order to a verified server: a minute on an idle machine, more where several boot under emulation. */
const ACTION_TIMEOUT_SECONDS = 840;
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;

/** A setting that `up` writes into the env file of its data folder. */
export function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Source the env file that \`npm run up\` writes.`);
  return value;
}

export const root = resolve(import.meta.dirname, '../..');
/** The data folder of the stack under test. */
export const dataFolder = resolve(root, process.env.SERVERY_DATA_DIR || '.servery');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** One request to the API; as the demo customer's project unless `headers` say otherwise. */
export async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${fromEnvironment('HCLOUD_TOKEN')}` },
): Promise<Answer> {
  const response = await fetch(`${fromEnvironment('SERVERY_URL')}/v1${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MILLISECONDS),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** A request that succeeds. @throws with the API's error otherwise */
export async function ask<S extends z.ZodType>(
  schema: S,
  ...request: Parameters<typeof send>
): Promise<z.output<S>> {
  const answer = await send(...request);
  if (answer.status >= 400) {
    throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return schema.parse(answer.body);
}

/** A request that is refused. @returns the error's code and the answer's status */
export async function refusal(...request: Parameters<typeof send>) {
  const answer = await send(...request);
  return { status: answer.status, code: errorResponse.parse(answer.body).error.code };
}

/** The headers of a customer's or operator's session, signed in by its password. */
export async function sessionOf(role: 'CUSTOMER' | 'OPERATOR'): Promise<Record<string, string>> {
  const origin = new URL(fromEnvironment('SERVERY_URL')).origin;
  const login = {
    email: fromEnvironment(`SERVERY_${role}_EMAIL`),
    password: fromEnvironment(`SERVERY_${role}_PASSWORD`),
  };
  const answer = await send('POST', '/sessions', login, { origin });
  const [cookie] = answer.headers.getSetCookie();
  if (!cookie) throw new Error(`no session for ${login.email}: ${answer.status}`);
  return { origin, cookie: cookie.slice(0, cookie.indexOf(';')) };
}

/** What a host promises and what is promised of it, as the operator sees it. */
export async function hosts(operator: Record<string, string>) {
  return (await ask(hostListResponse, 'GET', '/hosts', undefined, operator)).hosts;
}

/** Follows an action to its good end. @throws with its error when it fails */
export async function finished(actionId: number): Promise<void> {
  const deadline = Date.now() + ACTION_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const { action } = await ask(actionResponse, 'GET', `/actions/${actionId}`);
    if (action.status === 'success') return;
    if (action.status === 'error') throw new Error(`${action.command}: ${JSON.stringify(action.error)}`);
    if (Date.now() > deadline) throw new Error(`${action.command} did not end: ${JSON.stringify(action)}`);
    await sleep(1000);
  }
}

/** The steps of an action that have been done so far. */
export async function stepsDone(actionId: number): Promise<string[]> {
  const { action } = await ask(actionResponse, 'GET', `/actions/${actionId}`);
  if (action.status === 'error') throw new Error(`${action.command}: ${JSON.stringify(action.error)}`);
  return (action.servery?.steps ?? []).filter((step) => step.state === 'done').map((step) => step.name);
}

/** Waits until a step of an action has been done. */
export async function passed(actionId: number, step: string): Promise<void> {
  const deadline = Date.now() + ACTION_TIMEOUT_SECONDS * 1000;
  while (!(await stepsDone(actionId)).includes(step)) {
    if (Date.now() > deadline) throw new Error(`${step} was not reached`);
    await sleep(200);
  }
}

export interface Key {
  readonly id: number;
  readonly name: string;
  readonly privateKey: string;
}

/** A new SSH key, registered in the demo customer's project. */
export async function registerKey(name: string): Promise<Key> {
  const { privateKey, publicKey } = newSshKey(name);
  const { ssh_key } = await ask(sshKeyResponse, 'POST', '/ssh_keys', { name, public_key: publicKey });
  return { id: ssh_key.id, name, privateKey };
}

export function order(
  body: Readonly<Record<string, unknown>>,
  idempotencyKey?: string,
): Promise<CreateServerResponse> {
  return ask(createServerResponse, 'POST', '/servers', body, {
    authorization: `Bearer ${fromEnvironment('HCLOUD_TOKEN')}`,
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  });
}

export async function findServers(name: string): Promise<ServerWire[]> {
  return (await ask(serverListResponse, 'GET', `/servers?name=${name}`)).servers;
}

export async function getServer(id: number): Promise<ServerWire> {
  return (await ask(serverResponse, 'GET', `/servers/${id}`)).server;
}

/** Deletes what the tests ordered, whatever became of it. */
export async function deleteServers(names: readonly string[]): Promise<void> {
  const found = (await Promise.all(names.map(findServers))).flat();
  await Promise.all(
    found.map(async ({ id }) => finished((await ask(actionResponse, 'DELETE', `/servers/${id}`)).action.id)),
  );
}

/** Runs a command as root where the API says that SSH answers, with the host key that it promised. */
export async function onServer(
  server: ServerWire,
  secret: SshLogin['secret'],
  command: string,
): Promise<string> {
  const { access, host_key: hostKey } = server.servery;
  const ssh = access.find(({ service }) => service === 'ssh');
  if (!ssh || !hostKey) throw new Error(`${server.name} shows no way in: ${JSON.stringify(server.servery)}`);
  return runBySsh({ host: ssh.host, port: ssh.port, hostKey, secret }, command);
}

/** The text of what a server shows over HTTP. */
export async function webPage(server: ServerWire): Promise<string> {
  const web = server.servery.access.find(({ url }) => url !== undefined);
  if (!web?.url) throw new Error(`${server.name} shows no web page`);
  const answer = await fetch(web.url, { signal: AbortSignal.timeout(30_000) });
  return answer.text();
}

/** Every hold and charge that the Stripe emulator ever made. */
export async function ledger(): Promise<Ledger> {
  const { ports } = await readJson<{ ports: { stripe: number } }>('state.json');
  const answer = await fetch(`http://127.0.0.1:${ports.stripe}/_emulator/ledger`);
  return (await answer.json()) as Ledger;
}

/** Where the stack's own PostgreSQL is. */
export async function databaseUrl(): Promise<string> {
  const given = process.env.DATABASE_URL;
  if (given) return given;
  const { port, password } = await readJson<Instance>('postgres/instance.json');
  return `postgres://servery:${password}@127.0.0.1:${port}/servery`;
}

/** The rows of a query to the stack's database. */
export async function rows<T extends pg.QueryResultRow>(
  query: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: await databaseUrl() });
  await client.connect();
  try {
    return (await client.query<T>(query, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** Works with the stack's own Redis. */
export async function withRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(process.env.REDIS_URL || (await ownRedisUrl()));
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

interface Instance {
  readonly port: number;
  readonly password: string;
}

async function ownRedisUrl(): Promise<string> {
  const { port, password } = await readJson<Instance>('redis/instance.json');
  return `redis://:${password}@127.0.0.1:${port}/0`;
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(join(dataFolder, path), 'utf8')) as T;
}
