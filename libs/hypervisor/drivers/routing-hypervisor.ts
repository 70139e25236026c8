import { HypervisorError } from '../hypervisor.errors.ts';
import type { GuestReach } from '../port/guest-reach.ts';
import { type HostRef, LOST_URI } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';
import { hostLost, LostHost } from './lost-host.ts';

/** The drivers of one kind of object, by the URIs that they speak. */
export interface Route<Driver> {
  readonly uri: RegExp;
  readonly driver: Driver;
}

/** libvirt's QEMU driver over any transport; other libvirt drivers are not spoken. */
export const LIBVIRT_URI = /^qemu(\+[a-z0-9]+)?:\/\//;
export const SIMULATED_URI = /^simulated:[A-Za-z0-9._-]+$/;

const LOST = new LostHost();

function choose<Driver>(routes: readonly Route<Driver>[], host: HostRef): Driver | LostHost {
  if (host.uri === LOST_URI) return LOST;
  const route = routes.find(({ uri }) => uri.test(host.uri));
  if (route) return route.driver;
  throw new HypervisorError('uri_unsupported', `No driver speaks the URI of host ${host.name}.`, {
    fields: [{ name: 'uri', messages: ['write a libvirt URI such as qemu+ssh://root@kvm7/system'] }],
    details: { host: host.name },
  });
}

/** One Hypervisor in front of several drivers: the host's URI says whose it is. What is lost is none of theirs. */
export class RoutingHypervisor implements Hypervisor {
  private readonly routes: readonly Route<Hypervisor>[];

  constructor(routes: readonly Route<Hypervisor>[]) {
    this.routes = routes;
  }

  inspectHost = this.routed('inspectHost');
  probeAcceleration = this.routed('probeAcceleration');
  inspectStorage = this.routed('inspectStorage');
  markStorage = this.routed('markStorage');
  unmarkStorage = this.routed('unmarkStorage');
  importImage = this.routed('importImage');
  listImages = this.routed('listImages');
  downloadImage = this.routed('downloadImage');
  deleteImage = this.routed('deleteImage');
  createOverlay = this.routed('createOverlay');
  createSeed = this.routed('createSeed');
  deleteVolume = this.routed('deleteVolume');
  listVolumes = this.routed('listVolumes');
  createVolume = this.routed('createVolume');
  attachVolume = this.routed('attachVolume');
  detachVolume = this.routed('detachVolume');
  insertIso = this.routed('insertIso');
  ejectIso = this.routed('ejectIso');
  growVolume = this.routed('growVolume');
  flattenVolume = this.routed('flattenVolume');
  downloadVolume = this.routed('downloadVolume');
  /** From a lost host as well, which the driver of the other one does not know. */
  copyVolume: Hypervisor['copyVolume'] = async (host, copy, options) => {
    if (copy.from.uri === LOST_URI) throw hostLost(copy.from);
    await choose(this.routes, host).copyVolume(host, copy, options);
  };
  defineDomain = this.routed('defineDomain');
  undefineDomain = this.routed('undefineDomain');
  domainState = this.routed('domainState');
  listDomains = this.routed('listDomains');
  startDomain = this.routed('startDomain');
  shutdownDomain = this.routed('shutdownDomain');
  rebootDomain = this.routed('rebootDomain');
  resetDomain = this.routed('resetDomain');
  destroyDomain = this.routed('destroyDomain');
  setNetwork = this.routed('setNetwork');
  freezeDisk = this.routed('freezeDisk');
  resumeDomain = this.routed('resumeDomain');
  mergeLayers = this.routed('mergeLayers');
  diskReadBytes = this.routed('diskReadBytes');
  sampleDomains = this.routed('sampleDomains');
  openConsole = this.routed('openConsole');
  detachSeed = this.routed('detachSeed');
  agentPing = this.routed('agentPing');
  agentExec = this.routed('agentExec');
  agentSetPassword = this.routed('agentSetPassword');

  private routed<Method extends keyof Hypervisor>(method: Method): Hypervisor[Method] {
    const call = async (host: HostRef, ...rest: unknown[]): Promise<unknown> => {
      const driver = choose(this.routes, host);
      return Reflect.apply(driver[method], driver, [host, ...rest]);
    };
    return call as Hypervisor[Method];
  }
}

/** One GuestReach in front of several, chosen as for RoutingHypervisor. */
export class RoutingGuestReach implements GuestReach {
  private readonly routes: readonly Route<GuestReach>[];

  constructor(routes: readonly Route<GuestReach>[]) {
    this.routes = routes;
  }

  async readSshHostKey(...args: Parameters<GuestReach['readSshHostKey']>): Promise<string | null> {
    return choose(this.routes, args[0]).readSshHostKey(...args);
  }

  async httpGet(...args: Parameters<GuestReach['httpGet']>): ReturnType<GuestReach['httpGet']> {
    return choose(this.routes, args[0]).httpGet(...args);
  }

  async tcpOpen(...args: Parameters<GuestReach['tcpOpen']>): Promise<boolean> {
    return choose(this.routes, args[0]).tcpOpen(...args);
  }
}
