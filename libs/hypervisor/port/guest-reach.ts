import type { HostRef } from './hosts.ts';

export interface HttpAnswer {
  readonly status: number;
  /** At most the first 64 KiB. */
  readonly body: string;
}

/**
 * How the worker looks at a guest from outside, over the network, as its owner would: directly, or through a
 * proxy where the guests' network is not ours. Failures of the way there are `null`, for callers poll.
 */
export interface GuestReach {
  /**
   * The guest's ed25519 SSH host key as `ssh-ed25519 AAAA…`, proven by a key exchange; null while nothing
   * answers, or what answers has no such key.
   */
  readSshHostKey(host: HostRef, address: string, port: number): Promise<string | null>;
  /** One GET; null while nothing answers within `timeoutSeconds` (default 5). Redirects are not followed. */
  httpGet(
    host: HostRef,
    address: string,
    port: number,
    path: string,
    options?: { readonly timeoutSeconds?: number },
  ): Promise<HttpAnswer | null>;
  /** True when the port takes a TCP connection. */
  tcpOpen(host: HostRef, address: string, port: number): Promise<boolean>;
}

/** Nest token of the GuestReach. */
export const GUEST_REACH = Symbol('GuestReach');
