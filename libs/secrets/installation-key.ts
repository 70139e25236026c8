import type { DataSource } from 'typeorm';
import type { EnvelopeCipher } from './envelope-cipher.ts';
import { SecretsError } from './secrets.errors.ts';

/**
 * Notes with which key the installation seals from now on, once that is its present one or knows that as a former one.
 * Without this a program with a mistaken key would go unnoticed until somebody asked for a password, and by then have
 * sealed others that the right key does not open.
 * @throws SecretsError `foreign_secret_key`
 */
export async function claimInstallation(dataSource: DataSource, cipher: EnvelopeCipher): Promise<void> {
  const [row] = await dataSource.query<{ id: Buffer | null }[]>(
    'SELECT secret_key_id AS id FROM installation',
  );
  const before = row?.id ?? null;
  if (before?.equals(cipher.currentKeyId)) return;
  if (before && !cipher.knows(before)) throw foreignKey();
  const [, noted] = await dataSource.query<[unknown, number]>(
    'UPDATE installation SET secret_key_id = $1 WHERE secret_key_id IS NOT DISTINCT FROM $2',
    [cipher.currentKeyId, before],
  );
  // Another program has noted its own meanwhile.
  if (noted === 0) await claimInstallation(dataSource, cipher);
}

/** Where the key before is lost: this one is the installation's, and what that sealed stays shut. */
export async function adoptKey(dataSource: DataSource, cipher: EnvelopeCipher): Promise<void> {
  await dataSource.query('UPDATE installation SET secret_key_id = $1', [cipher.currentKeyId]);
}

function foreignKey(): SecretsError {
  return new SecretsError(
    'foreign_secret_key',
    'SERVERY_SECRET_KEY is not the key that the secrets of this installation are sealed with: give that one, or add it to SERVERY_FORMER_SECRET_KEYS; if it is lost, run "servery secrets adopt"',
  );
}
