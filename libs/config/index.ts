export * from './config.errors.ts';
export * from './config.module.ts';
export * from './environment.ts';
export * from './load-environment.ts';
export * from './secret-keys.ts';
