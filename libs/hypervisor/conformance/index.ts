export { type ConformanceContext, planServer, type ServerPlan } from './conformance-context.ts';
export { describeHypervisor } from './describe-hypervisor.ts';
