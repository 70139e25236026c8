/** The host that a URL names, as sockets and resolvers take it: URLs write IPv6 addresses in brackets (RFC 3986, 3.2.2). */
export function urlHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
