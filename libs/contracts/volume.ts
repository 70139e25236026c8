import { z } from 'zod';
import { action } from './action.ts';
import {
  displayName,
  id,
  idOrName,
  idParam,
  meta,
  pageQuery,
  protection,
  searchText,
  several,
  sortQuery,
  timestamp,
} from './common.ts';
import { labels, labelsInput } from './labels.ts';
import { location } from './location.ts';

export const VOLUME_SIZE_MIN = 1;
export const VOLUME_SIZE_MAX = 10_240;

const statuses = ['creating', 'available'] as const;

/** A disk apart from servers. `size` is in GB; `linux_device` is there in a server that has it. */
export const volume = z
  .object({
    id,
    name: z.string(),
    size: z.int(),
    status: z.enum(statuses),
    server: id.nullable(),
    location,
    linux_device: z.string(),
    format: z.string().nullable(),
    protection,
    labels,
    created: timestamp,
  })
  .meta({ id: 'Volume' });

export const volumeResponse = z.object({ volume });
export const volumeListResponse = z.object({ volumes: z.array(volume), meta });
/** `next_actions` has the attaching, where a server was named. */
export const createVolumeResponse = z.object({ volume, action, next_actions: z.array(action) });

export const volumeListQuery = z.strictObject({
  name: searchText.optional(),
  status: several(z.enum(statuses)).optional(),
  label_selector: z.string().optional(),
  sort: sortQuery(['id', 'name', 'created']),
  ...pageQuery,
});

const size = z
  .int()
  .min(VOLUME_SIZE_MIN, { error: `must be at least ${VOLUME_SIZE_MIN} GB` })
  .max(VOLUME_SIZE_MAX, { error: `must be at most ${VOLUME_SIZE_MAX} GB` });

export const volumeFormats = ['ext4', 'xfs'] as const;

/** The order of a volume: in a location (the first one unless told), or at a server, which gets it. */
export const createVolume = z
  .strictObject({
    name: displayName,
    size,
    labels: labelsInput.optional(),
    location: idOrName.optional(),
    server: id.optional(),
    automount: z.boolean().optional(),
    format: z.enum(volumeFormats).optional(),
  })
  .refine(({ location, server }) => location === undefined || server === undefined, {
    path: ['location'],
    error: 'a volume is made where its server is: leave this out, or the server',
  })
  .refine(({ automount, server }) => !automount || server !== undefined, {
    path: ['automount'],
    error: 'needs a server',
  });

export const updateVolume = z.strictObject({ name: displayName.optional(), labels: labelsInput.optional() });
/** `automount`: where its file system and the guest agent allow it, at `/mnt/HC_Volume_<id>`, now and at each boot. */
export const attachVolume = z.strictObject({ server: id, automount: z.boolean().default(false) });
export const resizeVolume = z.strictObject({ size });
export const changeVolumeProtection = z.strictObject({ delete: z.boolean() });
export const volumeActionParams = z.object({ id: idParam, action_id: idParam });

export type CreateVolume = z.output<typeof createVolume>;
export type VolumeWire = z.output<typeof volume>;
