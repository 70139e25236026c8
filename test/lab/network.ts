import { stat, statfs } from 'node:fs/promises';
import { GUEST_BRIDGE, GUEST_NETWORK, type HostLayout, type LabLayout } from './layout.ts';
import { run, tryRun } from './run.ts';

/** Type of the file system behind a namespace's file (linux/magic.h); a plain file is a leftover of a reboot. */
const NSFS_MAGIC = 0x6e736673;

interface Link {
  readonly ifname: string;
  readonly flags: readonly string[];
}

/**
 * The lab's switch: a namespace with two bridges, one of guests (where the gateway has its address) and
 * one of hosts (migration), so that no guest can speak to a hypervisor. The root namespace gets nothing.
 */
export async function ensureSwitch(lab: LabLayout): Promise<void> {
  await ensureNamespace(lab.namespace);
  const links = await linksOf(lab.namespace);
  for (const bridge of ['guests', 'hosts']) {
    if (!links.has(bridge)) await ip(lab.namespace, 'link', 'add', bridge, 'type', 'bridge');
  }
  await ip(
    lab.namespace,
    'address',
    'replace',
    `${GUEST_NETWORK.gateway}/${GUEST_NETWORK.prefixLength}`,
    'dev',
    'guests',
  );
  await up(lab.namespace, links, ['lo', 'guests', 'hosts']);
}

/** A host's namespace: `br0` for its guests, joined to the switch; `mgmt0` with the host's address. */
export async function ensureHostNetwork(lab: LabLayout, host: HostLayout): Promise<void> {
  await ensureNamespace(host.namespace);
  await ensureCable(lab, host, { port: `${host.name}-g`, bridge: 'guests', device: 'uplink' });
  await ensureCable(lab, host, { port: `${host.name}-h`, bridge: 'hosts', device: 'mgmt0' });
  const links = await linksOf(host.namespace);
  if (!links.has(GUEST_BRIDGE)) {
    await ip(host.namespace, 'link', 'add', GUEST_BRIDGE, 'type', 'bridge');
    await ip(host.namespace, 'link', 'set', 'uplink', 'master', GUEST_BRIDGE);
  }
  await ip(host.namespace, 'address', 'replace', `${host.address}/24`, 'dev', 'mgmt0');
  await up(host.namespace, links, ['lo', 'uplink', 'mgmt0', GUEST_BRIDGE]);
}

/** Whether both of the host's cables are plugged in. */
export async function isLinked(lab: LabLayout, host: HostLayout): Promise<boolean> {
  const links = await linksOf(lab.namespace).catch(() => new Map<string, Link>());
  return [`${host.name}-g`, `${host.name}-h`].every((port) => links.get(port)?.flags.includes('UP') ?? false);
}

/** Pulls the host's cables out of the switch, or plugs them in again. */
export async function setLinked(lab: LabLayout, host: HostLayout, linked: boolean): Promise<void> {
  for (const port of [`${host.name}-g`, `${host.name}-h`]) {
    await ip(lab.namespace, 'link', 'set', port, linked ? 'up' : 'down');
  }
}

/** Removes a namespace and all links in it; does nothing when there is none. */
export async function removeNamespace(name: string): Promise<void> {
  const exists = await stat(`/run/netns/${name}`).then(
    () => true,
    () => false,
  );
  if (exists) await run('ip', ['netns', 'delete', name]);
}

/** Names of all network namespaces of a lab, whatever made them. */
export async function labNamespaces(lab: LabLayout): Promise<string[]> {
  const listing = (await tryRun('ip', ['netns', 'list'])) ?? '';
  const names = listing.split('\n').map((line) => line.split(' ')[0] ?? '');
  return names.filter((name) => name.startsWith(`sv${lab.hash}-`));
}

/** Takes back the mount that `ip netns` makes for itself, once nobody's namespace is left in it. */
export async function forgetNamespaceFolder(): Promise<void> {
  const listing = await tryRun('ip', ['netns', 'list']);
  if (listing?.trim() === '') await tryRun('umount', ['/run/netns']);
}

interface Cable {
  readonly port: string;
  readonly bridge: string;
  readonly device: string;
}

async function ensureCable(lab: LabLayout, host: HostLayout, cable: Cable): Promise<void> {
  const [ports, devices] = await Promise.all([linksOf(lab.namespace), linksOf(host.namespace)]);
  if (ports.has(cable.port) && devices.has(cable.device)) return;
  if (ports.has(cable.port)) await ip(lab.namespace, 'link', 'delete', cable.port);
  if (devices.has(cable.device)) await ip(host.namespace, 'link', 'delete', cable.device);
  await ip(
    lab.namespace,
    'link',
    'add',
    cable.port,
    'type',
    'veth',
    'peer',
    'name',
    cable.device,
    'netns',
    host.namespace,
  );
  await ip(lab.namespace, 'link', 'set', cable.port, 'master', cable.bridge, 'up');
  if (cable.device === 'uplink' && devices.has(GUEST_BRIDGE))
    await ip(host.namespace, 'link', 'set', 'uplink', 'master', GUEST_BRIDGE);
}

async function ensureNamespace(name: string): Promise<void> {
  const file = await statfs(`/run/netns/${name}`).catch(() => undefined);
  if (file?.type === NSFS_MAGIC) return;
  await removeNamespace(name);
  await run('ip', ['netns', 'add', name]);
}

async function up(
  namespace: string,
  links: ReadonlyMap<string, Link>,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    if (!links.get(name)?.flags.includes('UP')) await ip(namespace, 'link', 'set', name, 'up');
  }
}

async function linksOf(namespace: string): Promise<Map<string, Link>> {
  const links = JSON.parse(await run('ip', ['-n', namespace, '-json', 'link', 'show'])) as Link[];
  return new Map(links.map((link) => [link.ifname, link]));
}

async function ip(namespace: string, ...args: string[]): Promise<void> {
  await run('ip', ['-n', namespace, ...args]);
}
