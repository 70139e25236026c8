export * from './changed-entries.ts';
export * from './clock.ts';
export * from './domain-error.ts';
export * from './ids.ts';
export * from './money.ts';
export * from './process-end.ts';
export * from './sizes.ts';
export * from './with-required.ts';
