import { z } from 'zod';
import { deprecation, id, meta, pageQuery, price, searchText, sortQuery } from './common.ts';

export const priceInLocation = z
  .object({
    location: z.string(),
    price_hourly: price,
    price_monthly: price,
    /** Bytes in a month. */
    included_traffic: z.int(),
    price_per_tb_traffic: price,
  })
  .meta({ id: 'PriceInLocation' });

/** `memory` and `disk` are in GB, as Hetzner's. */
export const serverType = z
  .object({
    id,
    name: z.string(),
    description: z.string(),
    category: z.string(),
    cores: z.int(),
    memory: z.number(),
    disk: z.number(),
    cpu_type: z.enum(['shared', 'dedicated']),
    storage_type: z.enum(['local', 'network']),
    architecture: z.enum(['x86', 'arm']),
    deprecated: z.boolean().nullable(),
    deprecation: deprecation.nullable(),
    locations: z.array(z.object({ id, name: z.string(), deprecation: deprecation.nullable() })),
    prices: z.array(priceInLocation),
  })
  .meta({ id: 'ServerType' });

export const serverTypeResponse = z.object({ server_type: serverType });
export const serverTypeListResponse = z.object({ server_types: z.array(serverType), meta });
/** Hetzner's document does not name `sort` here, and its own command sends it. */
export const serverTypeListQuery = z.strictObject({
  name: searchText.optional(),
  sort: sortQuery(['id', 'name']),
  ...pageQuery,
});

export const pricing = z
  .object({
    currency: z.string(),
    vat_rate: z.string(),
    server_types: z.array(z.object({ id, name: z.string(), prices: z.array(priceInLocation) })),
    image: z.object({ price_per_gb_month: price }),
    volume: z.object({ price_per_gb_month: price }),
    floating_ip: z.object({ price_monthly: price }),
    floating_ips: z.array(z.never()),
    primary_ips: z.array(z.never()),
    load_balancer_types: z.array(z.never()),
    /** A backup costs by its size, and not a share of its server's price. */
    server_backup: z.object({
      percentage: z.string(),
      servery: z.object({ price_per_gb_month: price }),
    }),
  })
  .meta({ id: 'Pricing' });

export const pricingResponse = z.object({ pricing });

export type ServerTypeWire = z.output<typeof serverType>;
export type PriceInLocationWire = z.output<typeof priceInLocation>;
export type PricingWire = z.output<typeof pricing>;
