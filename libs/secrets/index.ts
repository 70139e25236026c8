export * from './envelope-cipher.ts';
export * from './secrets.errors.ts';
