import type { Image } from '#libs/images';
import type { AccessPublisher, Address } from '#libs/networks';
import type { ServerAccess } from '#libs/servers';
import { SSH_PORT } from './guest-checks.ts';

/** Ports belong to whom the address belongs, and not to those who wait for it. */
type OfServer = Pick<Address, 'ip' | 'isHeld'>;

/** Makes a server's ports reachable for its owner: SSH, and what the appliance serves over TCP. */
export async function publishAccess(
  publisher: AccessPublisher,
  image: Image,
  { ip, isHeld }: OfServer,
): Promise<ServerAccess[]> {
  if (!isHeld) return [];
  const access: ServerAccess[] = [];
  for (const { name, port, protocol } of servicesOf(image)) {
    const shown = await publisher.publish(ip, port);
    access.push({ service: name, ...shown, command: commandFor(protocol, shown) });
  }
  return access;
}

export async function withdrawAccess(
  publisher: AccessPublisher,
  image: Image,
  { ip, isHeld }: OfServer,
): Promise<void> {
  if (!isHeld) return;
  for (const { port } of servicesOf(image)) await publisher.withdraw(ip, port);
}

/** Does both where a server of `from` becomes one of `to`: what both serve stays where it is shown. */
export async function switchAccess(
  publisher: AccessPublisher,
  from: Image,
  to: Image,
  { ip, isHeld }: OfServer,
): Promise<ServerAccess[]> {
  const kept = new Set(servicesOf(to).map(({ port }) => port));
  const gone = servicesOf(from).filter(({ port }) => !kept.has(port));
  if (isHeld) for (const { port } of gone) await publisher.withdraw(ip, port);
  return publishAccess(publisher, to, { ip, isHeld });
}

function servicesOf(image: Image) {
  const own = image.appliance.ports.filter(({ port, protocol }) => port !== SSH_PORT && protocol !== 'udp');
  return [{ name: 'ssh', port: SSH_PORT, protocol: 'ssh' as const }, ...own];
}

function commandFor(protocol: string, { host, port }: { host: string; port: number }): string {
  if (protocol === 'ssh') return port === SSH_PORT ? `ssh root@${host}` : `ssh -p ${port} root@${host}`;
  if (protocol === 'http' || protocol === 'https') return `${protocol}://${host}:${port}/`;
  return `${host}:${port}`;
}
