import { mkdir, rm, rmdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { describe, type LabDescription, type LabHost, load, save } from './description.ts';
import { dialGuest } from './dialer.ts';
import { healHost, powerOff, powerOffAll } from './host.ts';
import { installHost } from './host-config.ts';
import { fill, isFull } from './host-pools.ts';
import { guestCount, type HostState, hostState } from './host-state.ts';
import { LabError } from './lab.errors.ts';
import { type HostLayout, hostLayout, type LabLayout, labLayout, MAX_HOSTS } from './layout.ts';
import { cut, freeze, thaw } from './levers.ts';
import { withLabLock } from './lock.ts';
import { requireMachine } from './machine.ts';
import {
  ensureHostNetwork,
  ensureSwitch,
  forgetNamespaceFolder,
  labNamespaces,
  removeNamespace,
} from './network.ts';
import type { RelayedPort } from './relay.ts';
import { hidePort, shownPorts, showPort } from './relay-client.ts';
import { ensureService, GATEWAY, isServiceHealthy, RELAY, stopService } from './service.ts';
import type { Target } from './target.ts';

export interface HostStatus extends LabHost {
  readonly state: HostState;
  readonly guests: number;
  readonly full: boolean;
}

export interface LabStatus {
  readonly hosts: readonly HostStatus[];
  readonly gateway: boolean;
  readonly relay: boolean;
}

export interface LabOptions {
  readonly folder: string;
  /** Number of hosts, 1–64; default: as many as the lab has, or 2. */
  readonly hosts?: number;
  /** Gives each host's pools a disk of their own of this size, which `fill` can fill. Fixed at the first start. */
  readonly diskGib?: number;
  /** Is told of each step before it starts. */
  readonly onStep?: (title: string) => void;
}

/** Starts a lab, or brings the one in `folder` back to health; safe to repeat, and to run twice at once. */
export async function startLab(options: LabOptions): Promise<Lab> {
  await requireMachine();
  const layout = labLayout(options.folder);
  const step = options.onStep ?? (() => undefined);
  return withLabLock(layout, async () => {
    const { hosts, diskGib } = await wantedShape(layout, options);
    await mkdir(layout.sharedFolder, { recursive: true });
    await mkdir(layout.runFolder, { recursive: true });
    const description = describe(layout, hosts, diskGib);
    await save(layout, description);
    step('network');
    await ensureSwitch(layout);
    for (const host of hosts) await ensureHostNetwork(layout, host);
    step(`hosts ${hosts.map((host) => host.name).join(', ')}`);
    await Promise.all(hosts.map((host) => installHost(host, diskGib)));
    await Promise.all(hosts.map((host) => healHost(layout, host)));
    step('gateway and relay');
    await Promise.all([ensureService(layout, GATEWAY), ensureService(layout, RELAY)]);
    return new Lab(layout, description, hosts);
  });
}

/** The lab that was started in `folder` before, in whatever state it is. @throws LabError `no_lab` */
export async function openLab(folder: string): Promise<Lab> {
  const layout = labLayout(folder);
  const description = await load(layout);
  if (!description)
    throw new LabError('no_lab', `There is no lab in ${layout.folder}. Run: npm run lab -- up`);
  return new Lab(
    layout,
    description,
    description.hosts.map((_, index) => hostLayout(layout, index + 1)),
  );
}

/**
 * Ends the lab in `folder`: guests, hosts, gateway, relay, namespaces, links. Works on half a lab and on none.
 * The disks of its hosts stay, unless `purge`, which removes the whole folder.
 */
export async function stopLab(folder: string, options: { purge?: boolean } = {}): Promise<void> {
  await requireMachine();
  const layout = labLayout(folder);
  await withLabLock(layout, async () => {
    await powerOffAll(layout);
    await Promise.all([stopService(layout, RELAY), stopService(layout, GATEWAY)]);
    for (const namespace of await labNamespaces(layout)) await removeNamespace(namespace);
    await forgetNamespaceFolder();
    await rm(layout.runFolder, { recursive: true, force: true });
    if (options.purge) await purge(layout);
  });
}

/** A lab with its levers. Each lever returns when what it says has happened. */
export class Lab {
  readonly description: LabDescription;
  readonly hosts: readonly LabHost[];
  readonly #layout: LabLayout;
  readonly #hosts: readonly HostLayout[];

  constructor(layout: LabLayout, description: LabDescription, hosts: readonly HostLayout[]) {
    this.#layout = layout;
    this.#hosts = hosts;
    this.description = description;
    this.hosts = description.hosts;
  }

  async status(): Promise<LabStatus> {
    const [hosts, gateway, relay] = await Promise.all([
      Promise.all(this.#hosts.map((host, index) => this.#statusOf(host, index))),
      isServiceHealthy(this.#layout, GATEWAY),
      isServiceHealthy(this.#layout, RELAY),
    ]);
    return { hosts, gateway, relay };
  }

  /** Power loss. */
  kill = (name: string) => this.#pull(name, powerOff);
  /** Link down: guests lose the network, clients lose libvirt. */
  cut = (name: string) => this.#pull(name, cut);
  /** Every process of the host stands still. */
  freeze = (name: string) => this.#pull(name, freeze);
  thaw = (name: string) => this.#pull(name, thaw);
  /** No space is left in the host's pools; only where the lab was started with `diskGib`. */
  fill = (name: string) => this.#pull(name, fill);
  /** Undoes every lever: on, linked, thawed, with space, answering. */
  heal = (name: string) =>
    this.#pull(name, async (layout, host) => {
      await ensureSwitch(layout);
      await ensureHostNetwork(layout, host);
      await healHost(layout, host);
    });

  /** Connects to a guest's port through the gateway. */
  dial(target: Target, timeoutSeconds = 20): Promise<Socket> {
    return dialGuest(this.#layout.gatewaySocket, target, timeoutSeconds);
  }

  /** Shows a guest's port at 127.0.0.1. */
  show(target: Target): Promise<RelayedPort> {
    return showPort(this.#layout.relaySocket, target);
  }

  hide(target: Target): Promise<void> {
    return hidePort(this.#layout.relaySocket, target);
  }

  shown(): Promise<RelayedPort[]> {
    return shownPorts(this.#layout.relaySocket);
  }

  stop(options: { purge?: boolean } = {}): Promise<void> {
    return stopLab(this.#layout.folder, options);
  }

  async #statusOf(host: HostLayout, index: number): Promise<HostStatus> {
    const [state, guests, full] = await Promise.all([
      hostState(this.#layout, host),
      guestCount(this.#layout, host),
      isFull(this.#layout, host),
    ]);
    return { ...(this.hosts[index] ?? host), state, guests, full };
  }

  async #pull(name: string, lever: (layout: LabLayout, host: HostLayout) => Promise<unknown>): Promise<void> {
    await requireMachine();
    const host = this.#hosts.find((each) => each.name === name);
    if (!host) {
      const known = this.hosts.map((each) => each.name).join(', ');
      throw new LabError(
        'host_unknown',
        `This lab has no host ${JSON.stringify(name)}. Its hosts: ${known}.`,
      );
    }
    await withLabLock(this.#layout, () => lever(this.#layout, host));
  }
}

async function wantedShape(
  layout: LabLayout,
  options: LabOptions,
): Promise<{ hosts: HostLayout[]; diskGib: number | undefined }> {
  const before = await load(layout);
  const count = options.hosts ?? before?.hosts.length ?? 2;
  if (!Number.isInteger(count) || count < 1 || count > MAX_HOSTS) {
    throw new LabError('bad_argument', `A lab has 1 to ${MAX_HOSTS} hosts, not ${count}.`);
  }
  if (before && count < before.hosts.length) {
    throw new LabError(
      'bad_argument',
      `The lab in ${layout.folder} has ${before.hosts.length} hosts, which may have guests. To have fewer, run: lab down --purge`,
    );
  }
  const diskGib = options.diskGib ?? before?.diskGib ?? undefined;
  if (diskGib !== undefined && (!Number.isInteger(diskGib) || diskGib < 1 || diskGib > 4096)) {
    throw new LabError('bad_argument', `A host's disk has 1 to 4096 GiB, not ${diskGib}.`);
  }
  if (before && diskGib !== (before.diskGib ?? undefined)) {
    throw new LabError(
      'bad_argument',
      `The size of the disks of the lab in ${layout.folder} is fixed. To change it, run: lab down --purge`,
    );
  }
  return { hosts: Array.from({ length: count }, (_, index) => hostLayout(layout, index + 1)), diskGib };
}

/** Removes what the lab wrote, file by file: a folder that holds other things as well keeps them. */
async function purge(layout: LabLayout): Promise<void> {
  const own = ['hosts', 'shared', 'log', 'lab.json', 'lab.json.part', 'relays.json', 'relays.json.part'];
  for (const entry of own) await rm(`${layout.folder}/${entry}`, { recursive: true, force: true });
  await rmdir(layout.folder).catch(() => undefined);
}
