import { z } from 'zod';

/** What `lab up --json` says, as far as it matters to `up`. */
export const labDescriptionSchema = z.object({
  folder: z.string(),
  network: z.object({
    cidr: z.string(),
    prefixLength: z.int(),
    gateway: z.string(),
    firstGuest: z.string(),
    lastGuest: z.string(),
    bridge: z.string(),
  }),
  pools: z.object({ images: z.string(), disks: z.string(), shared: z.string() }),
  guestProxy: z.string(),
  relay: z.string(),
  hosts: z.array(z.object({ name: z.string(), uri: z.string(), uuid: z.string() })).min(1),
});

export type LabDescription = z.infer<typeof labDescriptionSchema>;
