/** The lab's public face: a fleet of real libvirt hosts on one machine. */

export type { LabDescription, LabHost } from './description.ts';
export type { HostState } from './host-state.ts';
export { LabError, type LabErrorCode } from './lab.errors.ts';
export {
  type HostStatus,
  Lab,
  type LabOptions,
  type LabStatus,
  openLab,
  startLab,
  stopLab,
} from './lab.ts';
export type { RelayedPort } from './relay.ts';
export { hidePort, shownPorts, showPort } from './relay-client.ts';
export type { Target } from './target.ts';
