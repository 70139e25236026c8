export * from './hypervisor.errors.ts';
export * from './port.ts';
