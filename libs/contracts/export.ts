import { z } from 'zod';
import { action } from './action.ts';
import { id, meta, pageQuery, several, sortQuery, timestamp } from './common.ts';

const exportFormats = ['qcow2', 'raw', 'vmdk', 'ova'] as const;
const exportStatuses = ['creating', 'available', 'failed', 'expired'] as const;

/** How an export's file is had: by whoever has these addresses, without signing in, until they expire. */
export const exportDownload = z
  .object({ url: z.url(), manifest_url: z.url(), expires: timestamp })
  .meta({ id: 'ExportDownload' });

/** A server or an image as one file to take home. `download` is shown to those who may change things. */
export const exported = z
  .object({
    id,
    status: z.enum(exportStatuses),
    format: z.enum(exportFormats),
    progress: z.int().min(0).max(100),
    created_from: z.object({ type: z.enum(['server', 'image']), id, name: z.string() }),
    created: timestamp,
    finished: timestamp.nullable(),
    /** When the file is removed. */
    expires: timestamp.nullable(),
    file_name: z.string().nullable(),
    size_bytes: z.int().nullable(),
    sha256: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    download: exportDownload.nullable(),
  })
  .meta({ id: 'Export' });

/** `raw` is compressed by zstd. */
export const createExport = z.strictObject({
  format: z.enum(exportFormats, { error: `must be one of ${exportFormats.join(', ')}` }),
});

export const exportResponse = z.object({ export: exported });
export const exportListResponse = z.object({ exports: z.array(exported), meta });
export const createExportResponse = z.object({ export: exported, action });

const someId = z.string().regex(/^[1-9]\d{0,15}$/, { error: 'must be a positive integer' });

export const exportListQuery = z.strictObject({
  server: several(someId).optional(),
  image: several(someId).optional(),
  status: several(z.enum(exportStatuses)).optional(),
  sort: sortQuery(['id', 'created', 'expires']),
  ...pageQuery,
});

/** What a link to an export's file, or its manifest, carries. */
export const exportDownloadQuery = z.strictObject({
  expires: z.coerce.number().int().positive().meta({ description: 'until when, in seconds since 1970' }),
  signature: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What lies beside an export's file: what it is, and what it is of. */
export const exportManifestResponse = z
  .object({
    schema: z.literal(1),
    format: z.enum(exportFormats),
    file: z.object({ name: z.string(), sizeBytes: z.int(), sha256 }),
    disk: z.object({ virtualSizeBytes: z.int() }),
    server: z.object({
      name: z.string(),
      vcpus: z.int(),
      memoryMib: z.int(),
      firmware: z.array(z.enum(['bios', 'uefi'])),
      network: z.object({ mac: z.string(), ipv4: z.string() }).optional(),
      image: z.object({
        name: z.string(),
        title: z.string(),
        version: z.string(),
        osFlavor: z.string(),
        licence: z.string(),
        sha256: sha256.optional(),
      }),
      frozenAt: timestamp,
      frozenHow: z.enum(['off', 'consistent', 'crash']),
    }),
  })
  .meta({ id: 'ExportManifest' });

export type CreateExport = z.output<typeof createExport>;
export type ExportManifestWire = z.output<typeof exportManifestResponse>;
export type ExportWire = z.output<typeof exported>;
