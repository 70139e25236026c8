import {
  type ActionWire,
  actionListResponse,
  actionResponse,
  catalogResponse,
  createServerResponse,
  type OfferWire,
  type ServerWire,
  serverListResponse,
  serverResponse,
  sshKeyListResponse,
  sshKeyResponse,
} from '#libs/contracts';
import { sleep } from '#libs/kernel';
import { CliError } from '../cli.errors.ts';
import { ApiClient } from './api-client.ts';
import { SshKey, type SshTarget } from './ssh.ts';
import type { Progress, Step } from './step.ts';

const SERVER_NAME = 'demo';
const APPLIANCE = 'web';
const POLL_MILLISECONDS = 500;
/** A guest boots in about a minute under emulation; a busy machine takes its time. */
const ACTION_TIMEOUT_SECONDS = 1200;
/** The worker sees within `SERVERY_RECONCILE_SECONDS` that a server is off, which has to boot then. */
const LOGIN_TIMEOUT_SECONDS = 300;

/** The main job, as a customer does it: order, follow, log in. A demo server that is there already is kept. */
export const orderStep: Step = {
  title: 'Main job: order a server, log in by SSH',
  log: 'worker',
  async run(up, progress) {
    const { token } = up.state.demo;
    if (token === null) throw new CliError('order_failed', 'The demo customer has no token. Run this again.');
    const api = new ApiClient(up.url, token);
    const key = await SshKey.ensure(up.folder);
    const id = (await findServer(api))?.id ?? (await order(api, key, progress));
    await settle(api, id, progress);
    const { server, target, hostname } = await logIn(api, key, id, progress);
    if (hostname !== server.name) {
      throw new CliError('ssh_failed', `The server says that its name is ${hostname}, not ${server.name}.`);
    }
    up.demo = { server, sshCommand: key.command(target) };
    return `${server.name} answered as root, its host key verified`;
  },
};

async function findServer(api: ApiClient): Promise<ServerWire | undefined> {
  const { servers } = await api.get(`/servers?name=${SERVER_NAME}`, serverListResponse);
  return servers[0];
}

/** @returns the id of the new server. */
async function order(api: ApiClient, key: SshKey, progress: Progress): Promise<number> {
  const keyId = await registerKey(api, key);
  const offer = await cheapestOffer(api);
  progress(`ordering ${APPLIANCE} on ${offer.server_type.name}`);
  const body = {
    name: SERVER_NAME,
    server_type: offer.server_type.name,
    image: APPLIANCE,
    ssh_keys: [String(keyId)],
  };
  return (await api.post('/servers', body, createServerResponse)).server.id;
}

async function registerKey(api: ApiClient, key: SshKey): Promise<number> {
  const publicKey = await key.publicKey();
  const { ssh_keys: known } = await api.get('/ssh_keys?per_page=50', sshKeyListResponse);
  const body = publicKey.split(' ')[1] ?? publicKey;
  const same = known.find((one) => one.public_key.includes(body));
  if (same) return same.id;
  const name = known.some((one) => one.name === SERVER_NAME) ? `${SERVER_NAME}-${Date.now()}` : SERVER_NAME;
  return (await api.post('/ssh_keys', { name, public_key: publicKey }, sshKeyResponse)).ssh_key.id;
}

async function cheapestOffer(api: ApiClient): Promise<OfferWire> {
  const { products } = await api.get('/catalog', catalogResponse);
  const offers = products.find((product) => product.name === APPLIANCE)?.offers ?? [];
  const [cheapest] = offers
    .filter((offer) => offer.in_stock)
    .toSorted((a, b) => Number(a.price_monthly.gross) - Number(b.price_monthly.gross));
  if (!cheapest) {
    throw new CliError(
      'order_failed',
      `No host has room for ${APPLIANCE}. See: npm run servery -- host list`,
    );
  }
  return cheapest;
}

/** Follows whatever is being done to the server, our order or that of a run before this one, to its end. */
async function settle(api: ApiClient, serverId: number, progress: Progress): Promise<void> {
  const path = `/servers/${serverId}/actions?status=running`;
  for (const action of (await api.get(path, actionListResponse)).actions)
    await follow(api, action.id, progress);
}

async function follow(api: ApiClient, actionId: number, progress: Progress): Promise<void> {
  const deadline = Date.now() + ACTION_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const { action } = await api.get(`/actions/${actionId}`, actionResponse);
    progress(describe(action));
    if (action.status === 'success') return;
    if (action.status === 'error')
      throw new CliError('order_failed', `${action.command}: ${action.error?.message}`);
    if (Date.now() > deadline) {
      throw new CliError('order_failed', `${action.command} did not end within ${ACTION_TIMEOUT_SECONDS} s.`);
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** The steps that run now and how many are done: `5 of 12: Boot`. */
function describe(action: ActionWire): string {
  const steps = action.servery?.steps ?? [];
  const done = steps.filter((step) => step.state === 'done').length;
  const running = steps.filter((step) => step.state === 'running').map((step) => step.title);
  const count = steps.length > 0 ? `${done} of ${steps.length}` : `${action.progress} %`;
  return running.length > 0 ? `${count}: ${running.join(', ')}` : `${count} ${action.command}`;
}

/**
 * After a power cut a server is shown as running until the worker has looked at its host, and to be switched on is not
 * to have booted: so it is looked at and tried until it answers.
 */
async function logIn(api: ApiClient, key: SshKey, id: number, progress: Progress) {
  const deadline = Date.now() + LOGIN_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const server = await powered(api, id, progress);
    const target = sshTarget(server);
    progress('logging in');
    try {
      return { server, target, hostname: await key.logIn(target, ['hostname']) };
    } catch (error) {
      if (isRefusal(error) || Date.now() > deadline) throw error;
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** Another host key or a login that is refused: it has booted, and waiting mends nothing. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /Host key verification failed|Permission denied/.test(error.message);
}

/** A server that lost its power, as in a reboot of this machine, is switched on again. */
async function powered(api: ApiClient, id: number, progress: Progress): Promise<ServerWire> {
  const { server } = await api.get(`/servers/${id}`, serverResponse);
  if (server.status !== 'off') return server;
  progress('switching the server on');
  const { action } = await api.post(`/servers/${id}/actions/poweron`, undefined, actionResponse);
  await follow(api, action.id, progress);
  return (await api.get(`/servers/${id}`, serverResponse)).server;
}

function sshTarget(server: ServerWire): SshTarget {
  const ssh = server.servery.access.find((one) => one.service === 'ssh');
  const hostKey = server.servery.host_key;
  if (ssh && hostKey) return { host: ssh.host, port: ssh.port, hostKey };
  const why = server.servery.reason ?? `it is ${server.status}`;
  throw new CliError(
    'ssh_failed',
    `The server ${server.name} shows no way in: ${why}. Delete it and run this again.`,
  );
}
