export { bearerIs } from './bearer.ts';
export { cryptHash } from './crypt-hash.ts';
export * from './envelope-cipher.ts';
export { adoptKey } from './installation-key.ts';
export { type Resealed, reseal, type SealedColumn } from './reseal.ts';
export * from './secrets.errors.ts';
export { secretsModule } from './secrets.module.ts';
