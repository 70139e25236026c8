export * from './simulated-fleet.ts';
export * from './simulated-guest-reach.ts';
export * from './simulated-hypervisor.ts';
export * from './simulated-power.ts';
