import type { Image } from '#libs/images';
import type { ServerAccess } from '#libs/servers';
import { SSH_PORT } from './guest-checks.ts';
import type { PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Makes a server's ports reachable for its owner: SSH, and what the appliance serves over TCP. */
export async function publishAccess(deps: WorkflowDeps, placed: PlacedServer): Promise<ServerAccess[]> {
  const access: ServerAccess[] = [];
  for (const { name, port, protocol } of servicesOf(placed.image)) {
    const shown = await deps.access.publish(placed.address.ip, port);
    access.push({ service: name, ...shown, command: commandFor(protocol, shown) });
  }
  return access;
}

export async function withdrawAccess(deps: WorkflowDeps, image: Image, ip: string): Promise<void> {
  for (const { port } of servicesOf(image)) await deps.access.withdraw(ip, port);
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
