import type { GuestReach, HttpAnswer } from '../port/guest-reach.ts';
import type { HostRef } from '../port/hosts.ts';
import type { GuestFacts, SimulatedFleet, SimulatedHost } from './simulated-fleet.ts';
import { guestIsUp, madeUpHostKey } from './simulated-guest.ts';
import { startsFrom } from './simulated-inventory.ts';

/** The outside view of simulated guests, true to the seed they were booted with. */
export class SimulatedGuestReach implements GuestReach {
  private readonly fleet: SimulatedFleet;

  constructor(fleet: SimulatedFleet) {
    this.fleet = fleet;
  }

  async readSshHostKey(ref: HostRef, address: string): Promise<string | null> {
    const guest = await this.guestAt(ref, address, 'readSshHostKey');
    if (!guest) return null;
    return ['wrong_host_key', 'no_cloud_init'].includes(guest.host.guestFault ?? '')
      ? madeUpHostKey('wrong')
      : guest.facts.hostKey;
  }

  async httpGet(ref: HostRef, address: string): Promise<HttpAnswer | null> {
    const guest = await this.guestAt(ref, address, 'httpGet');
    if (!guest) return null;
    if (guest.host.guestFault === 'http_500' || guest.facts.software?.isBroken)
      return { status: 500, body: '' };
    return { status: 200, body: guest.facts.hostname };
  }

  async tcpOpen(ref: HostRef, address: string): Promise<boolean> {
    return (await this.guestAt(ref, address, 'tcpOpen')) !== null;
  }

  /** A host out of reach is a guest out of reach: null, as the port promises. */
  private async guestAt(
    ref: HostRef,
    address: string,
    method: keyof GuestReach,
  ): Promise<{ host: SimulatedHost; facts: GuestFacts } | null> {
    return this.fleet
      .call(ref, method, (host) => {
        const domain = this.fleet.domains(host.name).find((candidate) => candidate.ipv4 === address);
        if (!domain || domain.network === 'closed' || !guestIsUp(host, domain, this.fleet.clock)) return null;
        const facts = this.fleet.volume(host.name, ref.diskPool, startsFrom(domain).diskVolume)?.guest;
        return facts && facts.settings !== 'lost' ? { host, facts } : null;
      })
      .catch(() => null);
  }
}
