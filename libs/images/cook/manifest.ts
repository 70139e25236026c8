import { z } from 'zod';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** `manifest.json` beside an image: what it is made of. The same cook writes the same bytes. */
export const manifestSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string(),
  title: z.string(),
  licence: z.string(),
  osFlavor: z.string(),
  osVersion: z.string(),
  recipe: z.strictObject({ sha256: digest, bases: z.array(z.string()) }),
  packageState: z.strictObject({ sha256: digest, sources: z.array(z.string()) }),
  /** Recipe, package state and the cook's own version together: an image with the same one is not cooked again. */
  fingerprint: digest,
  kernel: z.string(),
  /** The time that the image's files carry, in seconds since 1970: when its newest package was built. */
  epochSeconds: z.int(),
  disk: z.strictObject({
    file: z.literal('disk.qcow2'),
    format: z.literal('qcow2'),
    firmware: z.tuple([z.literal('bios'), z.literal('uefi')]),
    virtualSizeBytes: z.int(),
    fileSizeBytes: z.int(),
    sha256: digest,
  }),
  packages: z.array(
    z.strictObject({
      name: z.string(),
      version: z.string(),
      architecture: z.string(),
      source: z.string(),
      sha256: digest,
    }),
  ),
});

export type Manifest = z.output<typeof manifestSchema>;

/** A manifest as it was written, or undefined when `text` is no manifest of this version. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
