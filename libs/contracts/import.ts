import { z } from 'zod';
import { action } from './action.ts';
import { id, idOrName, idParam, text, timestamp } from './common.ts';
import { image } from './image.ts';
import { labelsInput } from './labels.ts';

const name = z
  .string()
  .trim()
  .min(1)
  .max(128)
  .regex(/^\P{Cc}*$/u, { error: 'must not have control characters' });

const described = {
  name: name.meta({ description: 'what the image is called' }),
  format: z.enum(['qcow2', 'raw', 'vmdk', 'vdi', 'vhd', 'vhdx', 'ova']).meta({
    description: 'what the file is; it is never guessed',
  }),
  description: text.max(255).nullish(),
};

/** A disk that lies elsewhere, or was uploaded at /v1/uploads. */
export const importImage = z
  .strictObject({
    ...described,
    labels: labelsInput.optional(),
    url: text.max(4096).optional().meta({ description: 'https; it is fetched' }),
    ssh_keys: z.array(idOrName).min(1).max(50).optional().meta({
      description:
        'keys of the project, by id or name, to be written into the disk for its root; it must be a Linux system on ext2, ext3 or ext4. One without cloud-init but with systemd is made to take address, name and keys of its servers as well.',
    }),
    upload: z.union([id, idParam]).optional().meta({ description: 'the id of an upload that is whole' }),
  })
  .refine(({ url, upload }) => (url === undefined) !== (upload === undefined), {
    path: ['url'],
    error: 'either url or upload, or send the file itself as multipart/form-data',
  });

/** The fields that come with the file in one multipart body: its part is called `file`. Keys stand with commas between. */
export const importImageForm = z.strictObject({
  ...described,
  ssh_keys: z
    .string()
    .max(4096)
    .transform((text) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    )
    .optional(),
});

export const importImageResponse = z.object({ action, image });

const upload = z.object({
  id,
  length_bytes: z.int().nullable().meta({ description: 'null: not known before its end' }),
  here_bytes: z.int(),
  created: timestamp,
  expires: timestamp,
});

export const uploadListResponse = z.object({ uploads: z.array(upload) });

export type UploadWire = z.output<typeof upload>;

export type ImportImage = z.output<typeof importImage>;
export type ImportImageForm = z.output<typeof importImageForm>;
