import type { Image } from '#libs/images';
import type { AccessPublisher, Address } from '#libs/networks';
import type { ServerAccess } from '#libs/servers';
import { SSH_PORT } from './guest-checks.ts';

/** Ports belong to whom the address belongs, and not to those who wait for it. */
type OfServer = Pick<Address, 'ip' | 'isHeld'>;

/**
 * Makes a server's ports reachable for its owner, and no others than those of its image: SSH, and what the appliance serves
 * over TCP. So whoever knows what a server is can mend what is shown of it.
 */
export async function publishAccess(
  publisher: AccessPublisher,
  image: Image,
  { ip, isHeld }: OfServer,
): Promise<ServerAccess[]> {
  if (!isHeld) return [];
  const services = servicesOf(image);
  await withdrawAll(publisher, ip, new Set(services.map(({ port }) => port)));
  const access: ServerAccess[] = [];
  for (const { name, port, protocol } of services) {
    const shown = await publisher.publish(ip, port);
    access.push({ service: name, ...shown, command: commandFor(protocol, shown) });
  }
  return access;
}

export async function withdrawAccess(publisher: AccessPublisher, { ip, isHeld }: OfServer): Promise<void> {
  if (isHeld) await withdrawAll(publisher, ip);
}

async function withdrawAll(
  publisher: AccessPublisher,
  ip: string,
  except: ReadonlySet<number> = new Set(),
): Promise<void> {
  for (const port of await publisher.published(ip)) {
    if (!except.has(port)) await publisher.withdraw(ip, port);
  }
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
