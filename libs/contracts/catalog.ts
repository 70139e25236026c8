import { z } from 'zod';
import { id, price, searchText, timestamp } from './common.ts';
import { packageChangesResponse } from './image.ts';
import { healthCheck } from './rehearsal.ts';

export const offer = z
  .object({
    server_type: z.object({
      id,
      name: z.string(),
      description: z.string(),
      cores: z.int(),
      /** GB */
      memory: z.number(),
      /** GB */
      disk: z.number(),
    }),
    price_hourly: price,
    /** The most that a month costs. */
    price_monthly: price,
    /** Whether the fleet has room for one more now. */
    in_stock: z.boolean(),
  })
  .meta({ id: 'Offer' });

export const product = z
  .object({
    name: z.string(),
    title: z.string(),
    summary: z.string(),
    description: z.string(),
    category: z.string(),
    icon_svg: z.string(),
    /** A PNG of a server of it. */
    screenshot: z.object({ url: z.string(), width: z.int(), height: z.int() }).nullable(),
    os_flavor: z.string(),
    os_version: z.string().nullable(),
    licence: z.string(),
    /** What the licence does not allow: `export`, to take a server of it home as a file. */
    licence_forbids: z.array(z.enum(['export'])),
    ports: z.array(z.object({ name: z.string(), port: z.int(), protocol: z.string() })),
    /** What is made for each server and shown to its owner once. */
    secrets: z.array(z.object({ name: z.string(), title: z.string(), username: z.string().nullable() })),
    /** What must pass before a server of it is handed over. */
    health_checks: z.array(healthCheck),
    packages_count: z.int(),
    min_memory_gb: z.number(),
    min_disk_gb: z.number(),
    image_id: id,
    cooked_at: timestamp,
    /** When these very bytes were booted and used as their clients would. Null: it is not known that they were. */
    verified_at: timestamp.nullable(),
    offers: z.array(offer),
  })
  .meta({ id: 'Product' });

export const catalogResponse = z.object({
  currency: z.string(),
  payment: z.object({ emulated: z.boolean() }),
  products: z.array(product),
});
export const productResponse = z.object({ product });
/** `since` is the build that it is compared with. Null: it is the first one whose packages are known. */
export const productChangesResponse = packageChangesResponse.extend({
  since: z.object({ image_id: id, cooked_at: timestamp }).nullable(),
});
export const byName = z.object({ name: searchText });

export type ProductWire = z.output<typeof product>;
export type ProductChangesWire = z.output<typeof productChangesResponse>;
export type OfferWire = z.output<typeof offer>;
export type CatalogResponse = z.output<typeof catalogResponse>;
