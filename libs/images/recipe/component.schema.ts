import { z } from 'zod';
import {
  absolutePath,
  file,
  healthCheck,
  name,
  packageName,
  port,
  refuseDoubles,
  secret,
  services,
  text,
} from './recipe.schema.ts';

/** `catalog/components/<name>/component.yaml`, version 1: a part that customers put into recipes of their own. */
export const componentSchema = z
  .strictObject({
    schema: z.literal(1),
    name,
    title: text.max(60),
    summary: text.max(140),
    category: name,
    licence: text.max(200),
    /** Of the smallest server that it works on. */
    memoryMib: z.int().min(128).max(1_048_576).default(512),
    /** Components that come with it. */
    requires: z.array(name).default([]),
    /** Components that cannot be in one image with it. */
    conflicts: z.array(name).default([]),
    packages: z.array(packageName).min(1, { error: 'must name a package: what has none is no component' }),
    files: z.array(file).default([]),
    /** What packages make while they are configured and each server makes for itself: keys, databases. */
    remove: z.array(absolutePath).default([]),
    services: services.prefault({}),
    /** What servers of it serve to others; what listens on loopback alone is none. */
    ports: z.array(port).default([]),
    health: z.array(healthCheck).default([]),
    secrets: z.array(secret).max(10).default([]),
  })
  .superRefine(refuseDoubles);

export type ComponentFile = z.output<typeof componentSchema>;
