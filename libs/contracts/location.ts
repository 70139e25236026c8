import { z } from 'zod';
import { id, meta, pageQuery, searchText, sortQuery } from './common.ts';

export const location = z
  .object({
    id,
    name: z.string(),
    description: z.string(),
    city: z.string(),
    country: z.string(),
    latitude: z.number(),
    longitude: z.number(),
    network_zone: z.string(),
  })
  .meta({ id: 'Location' });

/** Each location has one data centre; Hetzner is taking the word out of its API. */
export const datacenter = z
  .object({
    id,
    name: z.string(),
    description: z.string(),
    location,
    server_types: z.object({
      available: z.array(id),
      available_for_migration: z.array(id),
      supported: z.array(id),
    }),
  })
  .meta({ id: 'Datacenter' });

export const locationResponse = z.object({ location });
export const locationListResponse = z.object({ locations: z.array(location), meta });
export const datacenterResponse = z.object({ datacenter });
export const datacenterListResponse = z.object({
  datacenters: z.array(datacenter),
  recommendation: id,
  meta,
});

export const locationListQuery = z.strictObject({
  name: searchText.optional(),
  sort: sortQuery(['id', 'name']),
  ...pageQuery,
});

export type LocationWire = z.output<typeof location>;
export type DatacenterWire = z.output<typeof datacenter>;
