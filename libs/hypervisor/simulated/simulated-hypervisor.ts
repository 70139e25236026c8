import { gibToBytes } from '#libs/kernel';
import type { Acceleration, HostFacts, HostRef } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import { SimulatedConsoles } from './simulated-consoles.ts';
import { SimulatedDomains } from './simulated-domains.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';
import { SimulatedImages } from './simulated-images.ts';
import { SimulatedInventory } from './simulated-inventory.ts';
import { SimulatedLayers } from './simulated-layers.ts';
import { SimulatedVolumes } from './simulated-volumes.ts';

/** The port over a SimulatedFleet: fleets of thousands, and faults on demand. Runs nothing. */
export class SimulatedHypervisor implements Hypervisor {
  private readonly fleet: SimulatedFleet;
  private readonly images: SimulatedImages;
  private readonly volumes: SimulatedVolumes;
  private readonly domains: SimulatedDomains;
  private readonly layers: SimulatedLayers;
  private readonly agent: SimulatedAgent;
  private readonly consoles: SimulatedConsoles;

  /** `isolatedAllows`: single addresses. */
  constructor(fleet: SimulatedFleet, installationId: string, isolatedAllows: readonly string[] = []) {
    const inventory = new SimulatedInventory(fleet, installationId);
    this.fleet = fleet;
    this.images = new SimulatedImages(fleet, inventory);
    this.volumes = new SimulatedVolumes(fleet, inventory);
    this.domains = new SimulatedDomains(fleet, inventory);
    this.layers = new SimulatedLayers(fleet, inventory, this.volumes);
    this.agent = new SimulatedAgent(fleet, inventory, isolatedAllows);
    this.consoles = new SimulatedConsoles(fleet, inventory);
  }

  inspectHost(ref: HostRef): Promise<HostFacts> {
    return this.fleet.call(ref, 'inspectHost', (host) => {
      const space = { capacityBytes: gibToBytes(host.diskGib), freeBytes: this.fleet.freeBytes(host) };
      return {
        libvirtVersion: '0.0.0',
        hypervisorVersion: 'simulated',
        hostUuid: host.hostUuid,
        hostname: host.name,
        architecture: 'x86_64',
        vcpus: host.vcpus,
        memoryMib: host.memoryMib,
        firmwares: host.firmwares,
        imagePool: { name: ref.imagePool, ...space },
        diskPool: { name: ref.diskPool, ...space },
      };
    });
  }

  probeAcceleration(ref: HostRef): Promise<Acceleration> {
    return this.fleet.call(ref, 'probeAcceleration', (host) => host.acceleration);
  }

  inspectStorage: Hypervisor['inspectStorage'] = (...args) => this.volumes.inspectStorage(...args);
  markStorage: Hypervisor['markStorage'] = (...args) => this.volumes.markStorage(...args);
  unmarkStorage: Hypervisor['unmarkStorage'] = (...args) => this.volumes.unmarkStorage(...args);

  importImage: Hypervisor['importImage'] = (...args) => this.images.importImage(...args);
  listImages: Hypervisor['listImages'] = (...args) => this.images.listImages(...args);
  downloadImage: Hypervisor['downloadImage'] = (...args) => this.images.downloadImage(...args);
  deleteImage: Hypervisor['deleteImage'] = (...args) => this.images.deleteImage(...args);

  createOverlay: Hypervisor['createOverlay'] = (...args) => this.volumes.createOverlay(...args);
  createSeed: Hypervisor['createSeed'] = (...args) => this.volumes.createSeed(...args);
  deleteVolume: Hypervisor['deleteVolume'] = (...args) => this.volumes.deleteVolume(...args);
  listVolumes: Hypervisor['listVolumes'] = (...args) => this.volumes.listVolumes(...args);
  createVolume: Hypervisor['createVolume'] = (...args) => this.volumes.createVolume(...args);
  growVolume: Hypervisor['growVolume'] = (...args) => this.volumes.growVolume(...args);
  flattenVolume: Hypervisor['flattenVolume'] = (...args) => this.volumes.flattenVolume(...args);
  downloadVolume: Hypervisor['downloadVolume'] = (...args) => this.volumes.downloadVolume(...args);
  copyVolume: Hypervisor['copyVolume'] = (...args) => this.volumes.copyVolume(...args);

  attachVolume: Hypervisor['attachVolume'] = (...args) => this.domains.attachVolume(...args);
  detachVolume: Hypervisor['detachVolume'] = (...args) => this.domains.detachVolume(...args);
  insertIso: Hypervisor['insertIso'] = (...args) => this.domains.insertIso(...args);
  ejectIso: Hypervisor['ejectIso'] = (...args) => this.domains.ejectIso(...args);
  defineDomain: Hypervisor['defineDomain'] = (...args) => this.domains.defineDomain(...args);
  undefineDomain: Hypervisor['undefineDomain'] = (...args) => this.domains.undefineDomain(...args);
  domainState: Hypervisor['domainState'] = (...args) => this.domains.domainState(...args);
  listDomains: Hypervisor['listDomains'] = (...args) => this.domains.listDomains(...args);
  startDomain: Hypervisor['startDomain'] = (...args) => this.domains.startDomain(...args);
  shutdownDomain: Hypervisor['shutdownDomain'] = (...args) => this.domains.shutdownDomain(...args);
  rebootDomain: Hypervisor['rebootDomain'] = (...args) => this.domains.rebootDomain(...args);
  resetDomain: Hypervisor['resetDomain'] = (...args) => this.domains.resetDomain(...args);
  destroyDomain: Hypervisor['destroyDomain'] = (...args) => this.domains.destroyDomain(...args);
  setNetwork: Hypervisor['setNetwork'] = (...args) => this.domains.setNetwork(...args);
  diskReadBytes: Hypervisor['diskReadBytes'] = (...args) => this.domains.diskReadBytes(...args);
  sampleDomains: Hypervisor['sampleDomains'] = (...args) => this.domains.sampleDomains(...args);
  openConsole: Hypervisor['openConsole'] = (...args) => this.consoles.openConsole(...args);
  detachSeed: Hypervisor['detachSeed'] = (...args) => this.domains.detachSeed(...args);

  freezeDisk: Hypervisor['freezeDisk'] = (...args) => this.layers.freezeDisk(...args);
  resumeDomain: Hypervisor['resumeDomain'] = (...args) => this.layers.resumeDomain(...args);
  mergeLayers: Hypervisor['mergeLayers'] = (...args) => this.layers.mergeLayers(...args);

  agentPing: Hypervisor['agentPing'] = (...args) => this.agent.agentPing(...args);
  agentExec: Hypervisor['agentExec'] = (...args) => this.agent.agentExec(...args);
  agentSetPassword: Hypervisor['agentSetPassword'] = (...args) => this.agent.agentSetPassword(...args);
}
