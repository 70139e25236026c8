export {
  fits,
  type PlacementRequest,
  type Reserved,
  reservation,
  reserve,
  reserveWaiting,
} from './allocator.ts';
export { changeReservation } from './change-reservation.ts';
export { type AlongDisk, areReachedTogether } from './disks-along.ts';
export { Finding, type FindingKind } from './finding.entity.ts';
export { FindingsService, type NewFinding } from './findings.service.ts';
export { Host, type HostState } from './host.entity.ts';
export { type HostStorage, HostsService, markLost, type NewHost, toHostRef } from './hosts.service.ts';
export { installationId } from './installation.ts';
export { outOfCapacity } from './out-of-capacity.ts';
export { type Demand, type FilterReport, noCapacity, type PlacementErrorCode } from './placement.errors.ts';
export { PlacementModule, placementEntities } from './placement.module.ts';
export { passOnRoom, release, reservedHost } from './reservations.ts';
