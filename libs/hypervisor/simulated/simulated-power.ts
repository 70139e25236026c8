import type { SimulatedFleet } from './simulated-fleet.ts';
import { cutOff } from './simulated-guest.ts';
import { startsFrom } from './simulated-inventory.ts';

/** A host loses its power, with what its guests have in their memory, and is back. */
export function cutPower(fleet: SimulatedFleet, hostName: string): void {
  const { diskPool } = fleet.hostRef(hostName, 0);
  for (const domain of fleet.domains(hostName)) {
    const disk = fleet.volume(hostName, diskPool, startsFrom(domain).diskVolume);
    if (disk?.guest && domain.state !== 'off')
      fleet.putVolume(hostName, { ...disk, guest: cutOff(disk.guest) });
    fleet.putDomain(hostName, { ...domain, state: 'off', wasCutOff: true, heldVolumes: [] });
  }
}
