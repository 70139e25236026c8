import { z } from 'zod';
import {
  deprecation,
  flag,
  id,
  idOrName,
  meta,
  pageQuery,
  searchText,
  several,
  sortQuery,
} from './common.ts';

/** An ISO image that the operator offers. */
export const iso = z
  .object({
    id,
    name: z.string().nullable(),
    description: z.string(),
    type: z.enum(['public', 'private']).nullable(),
    architecture: z.enum(['x86', 'arm']).nullable(),
    deprecation: deprecation.nullable(),
  })
  .meta({ id: 'Iso' });

export const isoResponse = z.object({ iso });
export const isoListResponse = z.object({ isos: z.array(iso), meta });

export const isoListQuery = z.strictObject({
  name: searchText.optional(),
  architecture: several(z.enum(['x86', 'arm'])).optional(),
  include_architecture_wildcard: flag.optional(),
  sort: sortQuery(['id', 'name']),
  ...pageQuery,
});

/** By id or name. */
export const attachIso = z.strictObject({ iso: idOrName });

export type IsoWire = z.output<typeof iso>;
