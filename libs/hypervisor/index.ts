export * from './guest-programs/index.ts';
export * from './hypervisor.errors.ts';
export * from './port.ts';
export { renderSeed } from './seed-documents.ts';
export { composeUserData, type MergedConfig } from './user-data.ts';
