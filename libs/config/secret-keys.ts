import type { Environment } from './environment.ts';

/** Keys of 32 bytes, the present one first: it seals and signs, and what the others did is still read. */
export type SecretKeys = readonly [Buffer, ...Buffer[]];

export function secretKeys(
  environment: Pick<Environment, 'SERVERY_SECRET_KEY' | 'SERVERY_FORMER_SECRET_KEYS'>,
): SecretKeys {
  const { SERVERY_SECRET_KEY: present, SERVERY_FORMER_SECRET_KEYS: former } = environment;
  return [bytesOf(present), ...former.map(bytesOf)];
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
