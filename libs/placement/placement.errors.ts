import { DomainError } from '#libs/kernel';

export type PlacementErrorCode =
  | 'resource_unavailable'
  | 'host_unknown'
  | 'host_exists'
  | 'host_invalid'
  | 'host_in_use'
  | 'host_lost'
  | 'host_not_lost';

/** How many hosts were left after each filter, in the order in which the filters run. */
export interface FilterReport {
  readonly hosts: number;
  readonly active: number;
  readonly inLocation: number;
  /** Of the disks that it stands on, or has from the start, or the server that it is for; all of them where it goes with none. */
  readonly inReach: number;
  readonly withImage: number;
  readonly withMemory: number;
  readonly withVcpus: number;
  readonly withDisk: number;
}

export interface Demand {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

/** No host can take the server now. `details.filters` says how many hosts each filter left. */
export function noCapacity(demand: Demand, filters: FilterReport): DomainError {
  const { hosts, active, inLocation, inReach, withImage, withMemory, withVcpus, withDisk } = filters;
  const reach =
    inReach < inLocation ? `${inReach} in reach of the disk or the server that it goes with, ` : '';
  const story =
    `${hosts} hosts: ${active} active, ${inLocation} of them in the location, ${reach}${withImage} with the image, ` +
    `${withMemory} with ${demand.memoryMib} MiB of memory free, ${withVcpus} with ${demand.vcpus} vCPUs free, ` +
    `${withDisk} with ${demand.diskGib} GiB of disk free`;
  return new DomainError(
    'unavailable',
    'resource_unavailable' satisfies PlacementErrorCode,
    `no host has room for this ${demand.vcpus === 0 ? 'volume' : 'server'} now (${story})`,
    { details: { filters, demand } },
  );
}
