import { z } from 'zod';
import { displayName, id, meta, pageQuery, searchText, sortQuery, timestamp } from './common.ts';
import { labels, labelsInput } from './labels.ts';

/** `fingerprint` is the MD5 of the key in hexadecimal with colons, as Hetzner's. */
export const sshKey = z
  .object({
    id,
    name: z.string(),
    fingerprint: z.string(),
    public_key: z.string(),
    labels,
    created: timestamp,
  })
  .meta({ id: 'SshKey' });

export const sshKeyResponse = z.object({ ssh_key: sshKey });
export const sshKeyListResponse = z.object({ ssh_keys: z.array(sshKey), meta });

export const createSshKey = z.strictObject({
  name: displayName,
  public_key: z
    .string()
    .trim()
    .min(1, { error: 'must not be empty' })
    .max(16_384, { error: 'is longer than any SSH public key' }),
  labels: labelsInput.optional(),
});

export const updateSshKey = z.strictObject({ name: displayName.optional(), labels: labelsInput.optional() });

export const sshKeyListQuery = z.strictObject({
  name: searchText.optional(),
  fingerprint: searchText.optional(),
  label_selector: z.string().optional(),
  sort: sortQuery(['id', 'name']),
  ...pageQuery,
});

export type SshKeyWire = z.output<typeof sshKey>;
export type CreateSshKey = z.output<typeof createSshKey>;
