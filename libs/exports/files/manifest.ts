import { z } from 'zod';

/** What a server can be taken home as. `raw` is compressed by zstd. */
export const EXPORT_FORMATS = ['qcow2', 'raw', 'vmdk', 'ova'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What an export is of. All of it is known to the customer. */
export const exportSubject = z.strictObject({
  /** A host name: files are named after it. */
  name: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i, 'a host name'),
  vcpus: z.int().positive(),
  memoryMib: z.int().positive(),
  /** Where the disk starts by itself. */
  firmware: z.array(z.enum(['bios', 'uefi'])).min(1),
  /** The network card that the system was configured for. */
  network: z.strictObject({ mac: z.string(), ipv4: z.ipv4() }).optional(),
  image: z.strictObject({
    name: z.string(),
    title: z.string(),
    version: z.string(),
    osFlavor: z.string(),
    licence: z.string(),
    /** Of the golden image; none where the server was made of a snapshot. */
    sha256: sha256.optional(),
  }),
  /** The moment that the disk shows. */
  frozenAt: z.iso.datetime(),
  /** `off`: it did not run. `consistent`: its file systems were frozen. `crash`: as after a power cut. */
  frozenHow: z.enum(['off', 'consistent', 'crash']),
});
export type ExportSubject = z.output<typeof exportSubject>;

/** The paper that lies beside an export's file. */
export const exportManifest = z.strictObject({
  schema: z.literal(1),
  format: z.enum(EXPORT_FORMATS),
  file: z.strictObject({ name: z.string(), sizeBytes: z.int().positive(), sha256 }),
  disk: z.strictObject({ virtualSizeBytes: z.int().positive() }),
  server: exportSubject,
});
export type ExportManifest = z.output<typeof exportManifest>;

/** Undefined where the text is no manifest, or one that was cut off. */
export function parseExportManifest(text: string): ExportManifest | undefined {
  try {
    return exportManifest.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
