export {
  createHypervisorDrivers,
  type HypervisorDrivers,
  HypervisorModule,
  type HypervisorOptions,
} from './hypervisor.module.ts';
export { RoutingGuestReach, RoutingHypervisor } from './routing-hypervisor.ts';
