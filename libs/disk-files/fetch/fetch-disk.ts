import { lookup } from 'node:dns';
import { open, unlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { DomainError, urlHost } from '#libs/kernel';
import { diskError } from '../disk-files.errors.ts';
import { type AddressPolicy, isPublicAddress } from './public-addresses.ts';

export interface FetchLimits {
  readonly maxBytes: number;
  readonly timeoutSeconds: number;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (bytes: number) => void;
  /** Public addresses alone, unless a test says otherwise. */
  readonly isAllowed?: AddressPolicy;
  /** How names become addresses; the system's way by default. */
  readonly resolve?: typeof lookup;
  /** Further authorities to trust, in PEM. */
  readonly ca?: string;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Fetches a file over https into the new file `to`, which is there in the end whole or not at all. The addresses
 * of a name are looked at where they are connected to, at each redirect anew: between the look and the connection
 * no name is resolved again.
 * @throws DomainError `fetch_*`, `disk_output_exists`, `disk_work_cancelled`
 */
export async function fetchDisk(
  url: string,
  to: string,
  limits: FetchLimits,
  options: FetchOptions = {},
): Promise<{ readonly bytes: number }> {
  const expired = AbortSignal.timeout(limits.timeoutSeconds * 1000);
  const signal = AbortSignal.any([expired, ...(options.signal ? [options.signal] : [])]);
  const file = await open(to, 'wx', 0o600).catch((cause: unknown) => {
    throw diskError('disk_output_exists', `${to} cannot be made: is there a file already?`, { cause });
  });
  try {
    const response = await follow(fetchableUrl(url, options.isAllowed), signal, options);
    return { bytes: await receive(response, file, limits, options) };
  } catch (error) {
    await unlink(to);
    throw refusalOf(error, expired, options.signal, limits);
  } finally {
    await file.close();
  }
}

async function receive(
  response: IncomingMessage,
  file: Awaited<ReturnType<typeof open>>,
  limits: FetchLimits,
  options: FetchOptions,
): Promise<number> {
  const told = Number(response.headers['content-length'] ?? 0);
  if (told > limits.maxBytes) throw tooLarge(response, limits);
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > limits.maxBytes) throw tooLarge(response, limits);
    await file.writeFile(piece);
    options.onProgress?.(bytes);
  }
  await file.sync();
  return bytes;
}

async function follow(start: URL, signal: AbortSignal, options: FetchOptions): Promise<IncomingMessage> {
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(url, signal, options);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (REDIRECTS.includes(status) && location !== undefined) {
      response.destroy();
      url = new URL(checkedUrl(location, url));
    } else if (status !== 200 || (response.headers['content-encoding'] ?? 'identity') !== 'identity') {
      response.destroy();
      throw failed(`The server answered ${status}, or in an encoding of its own`);
    } else return response;
  }
  throw failed(`The address leads on more than ${MAX_REDIRECTS} times`);
}

/** One request on a connection of its own, through no proxy, to addresses that were looked at. */
function get(url: URL, signal: AbortSignal, options: FetchOptions): Promise<IncomingMessage> {
  const allowed = options.isAllowed ?? isPublicAddress;
  const host = urlHost(url);
  if (isIP(host) !== 0 && !allowed(host)) throw notPublic();
  return new Promise((resolve, reject) => {
    const ask = request(url, {
      agent: false,
      signal,
      lookup: lookedAt(options.resolve ?? lookup, allowed),
      headers: { 'accept-encoding': 'identity', 'user-agent': 'Servery' },
      ...(options.ca && { ca: options.ca }),
    });
    // A second look, at what the connection is really to.
    ask.once('socket', (socket) =>
      socket.once('connect', () => {
        if (!allowed(socket.remoteAddress ?? '')) ask.destroy(notPublic());
      }),
    );
    ask.once('error', reject).once('response', resolve).end();
  });
}

/** Names lead to public addresses alone: one other among them refuses the name. */
function lookedAt(resolve: typeof lookup, allowed: AddressPolicy): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return done(error ?? failed('The name leads nowhere'), '', 0);
      if (!addresses.every(({ address }) => allowed(address))) return done(notPublic(), '', 0);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
}

/**
 * A URL as far as it can be judged before anything is connected to: its scheme, and its address where it names one.
 * @throws DomainError `fetch_url_refused`, `fetch_address_refused`
 */
export function fetchableUrl(text: string, isAllowed: AddressPolicy = isPublicAddress): URL {
  const url = new URL(checkedUrl(text));
  const host = urlHost(url);
  if (isIP(host) !== 0 && !isAllowed(host)) throw notPublic();
  return url;
}

function checkedUrl(text: string, base?: URL): string {
  const url = URL.parse(text, base?.href);
  if (url?.protocol === 'https:' && !url.username && !url.password) return url.href;
  throw diskError('fetch_url_refused', 'Only https addresses without a user name or password are fetched.');
}

function refusalOf(
  error: unknown,
  expired: AbortSignal,
  cancelled: AbortSignal | undefined,
  limits: FetchLimits,
) {
  if (cancelled?.aborted)
    return diskError('disk_work_cancelled', 'The fetch was cancelled; nothing of it is left.');
  if (expired.aborted) {
    return diskError(
      'fetch_timed_out',
      `The file was not there within ${limits.timeoutSeconds} s. Try again, or upload it.`,
    );
  }
  if (error instanceof DomainError) return error;
  return failed(
    `The server cannot be reached, or broke off (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    error,
  );
}

function tooLarge(response: IncomingMessage, limits: FetchLimits) {
  response.destroy();
  return diskError(
    'fetch_too_large',
    `The file is larger than ${limits.maxBytes} bytes. Shrink or convert the disk first.`,
  );
}

function notPublic() {
  return diskError(
    'fetch_address_refused',
    'The address leads into a network that is not public. Upload the file instead.',
  );
}

function failed(what: string, cause?: unknown) {
  return diskError('fetch_failed', `${what}. Check the address, or upload the file.`, { cause });
}
