export { type ConformanceContext, ISO_TEXT, planServer, type ServerPlan } from './conformance-context.ts';
export { describeHypervisor } from './describe-hypervisor.ts';
