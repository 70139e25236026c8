import { HypervisorError, type HypervisorErrorCode } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkUuid } from '../specs.ts';
import type { SimulatedDomain, SimulatedFleet, SimulatedHost, SimulatedVolume } from './simulated-fleet.ts';
import { guestIsUp } from './simulated-guest.ts';

/** What stands on simulated hosts, found or refused as libvirt would. */
export class SimulatedInventory {
  private readonly fleet: SimulatedFleet;
  readonly installationId: string;

  constructor(fleet: SimulatedFleet, installationId: string) {
    this.fleet = fleet;
    this.installationId = installationId;
  }

  isOurs(domain: SimulatedDomain, serverId = domain.owner?.serverId): boolean {
    return domain.owner?.installationId === this.installationId && domain.owner.serverId === serverId;
  }

  /** The domain where it exists and is ours. @throws domain_exists_foreign where it is not */
  ownDomain(host: SimulatedHost, uuid: string): SimulatedDomain | undefined {
    checkUuid(uuid);
    const domain = this.fleet.domain(host.name, uuid);
    if (domain && !this.isOurs(domain)) {
      throw refusal(host, 'domain_exists_foreign', `Domain ${uuid} is not ours.`);
    }
    return domain;
  }

  needDomain(host: SimulatedHost, uuid: string): SimulatedDomain {
    const domain = this.ownDomain(host, uuid);
    if (!domain) throw refusal(host, 'domain_missing', `There is no domain ${uuid} on host ${host.name}.`);
    return domain;
  }

  agentIsUp(host: SimulatedHost, domain: SimulatedDomain): boolean {
    const isSilent = host.guestFault === 'agent_silent' || host.guestFault === 'no_cloud_init';
    return !isSilent && guestIsUp(host, domain, this.fleet.clock);
  }

  needAgent(host: SimulatedHost, ref: HostRef, uuid: string): SimulatedVolume {
    const domain = this.needDomain(host, uuid);
    if (domain.state !== 'running') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
    if (!this.agentIsUp(host, domain)) {
      throw refusal(host, 'agent_not_answering', `The guest agent of ${uuid} does not answer.`);
    }
    return this.needVolume(host, ref, startsFrom(domain).diskVolume);
  }

  needImage(host: SimulatedHost, ref: HostRef, name: string): SimulatedVolume {
    const volume = this.fleet.volume(host.name, ref.imagePool, name);
    if (!volume?.image) throw refusal(host, 'image_missing', `Image ${name} is not on the host.`);
    return volume;
  }

  needVolume(host: SimulatedHost, ref: HostRef, name: string): SimulatedVolume {
    const volume = this.fleet.volume(host.name, ref.diskPool, name);
    if (!volume) throw refusal(host, 'volume_missing', `There is no volume ${name} on host ${host.name}.`);
    return volume;
  }

  /** @throws volume_missing where what a disk stands on is not on this host */
  needLayers(host: SimulatedHost, { name, backing }: SimulatedVolume): void {
    if (!backing) return;
    const beneath = this.fleet.volume(host.name, backing.pool, backing.name);
    if (!beneath)
      throw refusal(host, 'volume_missing', `Disk ${name} stands on ${backing.name}, which is not there.`);
    this.needLayers(host, beneath);
  }

  refuseWhileHad(host: SimulatedHost, name: string): void {
    const user = this.fleet.domains(host.name).find((domain) => volumesOf(domain).includes(name));
    if (user) throw refusal(host, 'volume_in_use', `Domain ${user.name} has volume ${name}.`);
  }

  /** @throws volume_in_use while a guest runs on it, unless that is the one of `exceptUuid` */
  refuseWhileRun(host: SimulatedHost, name: string, exceptUuid?: string): void {
    const user = this.fleet
      .domains(host.name)
      .find((domain) => domain.state !== 'off' && volumesOf(domain).includes(name));
    if (user && user.uuid !== exceptUuid) {
      throw refusal(host, 'volume_in_use', `Domain ${user.name} runs on ${name}.`);
    }
  }

  needSpace(host: SimulatedHost, bytes: number): void {
    if (this.fleet.freeBytes(host) < bytes) {
      throw refusal(host, 'pool_full', `The pool of host ${host.name} has no ${bytes} bytes left.`);
    }
  }
}

/** What a domain runs from, or would; an ISO image runs nothing here. */
export function startsFrom(domain: SimulatedDomain): Pick<SimulatedDomain, 'diskVolume' | 'seedVolume'> {
  return domain.rescue ?? domain;
}

export function volumesOf(domain: SimulatedDomain): string[] {
  const { seedVolume, rescue } = domain;
  const defined = [seedVolume, rescue?.diskVolume, rescue?.seedVolume].filter((name) => name !== undefined);
  const attached = domain.volumes.map(({ volumeName }) => volumeName);
  return [domain.diskVolume, ...new Set([...defined, ...domain.heldVolumes, ...attached])];
}

export function refusal(host: SimulatedHost, code: HypervisorErrorCode, message: string): HypervisorError {
  return new HypervisorError(code, message, { details: { host: host.name } });
}
