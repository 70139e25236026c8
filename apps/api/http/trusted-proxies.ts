import type { Environment } from '#libs/config';

/** Which hops behind a request, from 0 for whoever is connected to us, are reverse proxies of ours; as proxy-addr asks. */
export function trustedProxies({
  SERVERY_TRUST_PROXY,
}: Environment): (address: string, hop: number) => boolean {
  return (_address, hop) => hop < SERVERY_TRUST_PROXY;
}
