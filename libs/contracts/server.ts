import { z } from 'zod';
import { action } from './action.ts';
import {
  hostname,
  id,
  idOrName,
  meta,
  notYet,
  pageQuery,
  searchText,
  several,
  sortQuery,
  timestamp,
} from './common.ts';
import { devices, image, verification } from './image.ts';
import { iso } from './iso.ts';
import { labels, labelsInput } from './labels.ts';
import { datacenter, location } from './location.ts';
import { serverType } from './server-type.ts';
import { suspensionReason } from './suspension.ts';

export const serverStatuses = [
  'initializing',
  'starting',
  'running',
  'stopping',
  'off',
  'deleting',
  'rebuilding',
  'migrating',
  'unknown',
] as const;

/** How to reach one service of a server: a `command` for a terminal or a `url` for a browser. */
export const access = z.object({
  service: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65_535),
  command: z.string().optional(),
  url: z.string().optional(),
});

export const backupWindows = ['22-02', '02-06', '06-10', '10-14', '14-18', '18-22'] as const;
export const weekdays = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;

const backupPlan = z.object({
  backup_window: z.enum(backupWindows),
  weekday: z.enum(weekdays).nullable(),
  keep: z.int(),
  next: timestamp,
});

const applicationSecret = z.object({ name: z.string(), title: z.string(), username: z.string().nullable() });

/** What Servery says of a server beyond Hetzner's words. */
export const serverExtra = z.object({
  appliance: z.string(),
  /**
   * The image of the recipe of `image` that an upgrade has made it like, whose ports and secrets it has then; null: it is as it was
   * made.
   */
  upgraded_to: z.object({ image: id, version: z.int(), created: timestamp }).nullable(),
  order_id: id.nullable(),
  ready: z.boolean(),
  /**
   * What was seen before it was handed over. `identity`: the SSH host key that we made, the guest agent where there is
   * one, and the appliance's own health check; `ssh`: that it runs and its SSH port answers; `running`: that it runs.
   */
  verification: verification.nullable(),
  /** What its guest finds its disk and its network on. */
  devices,
  ready_at: timestamp.nullable(),
  host_key: z.string().nullable(),
  credentials: z.object({
    /** `image`: as the image lets its owner in, for it takes neither key nor password from here. */
    kind: z.enum(['ssh_key', 'password', 'image']),
    /** `none`: no password is kept here; its owner knows the one that it has, or asks for a new one. */
    state: z.enum(['pending', 'available', 'revealed', 'expired', 'none']),
    expires_at: timestamp.nullable(),
  }),
  /** What lets its owner into its application: shown once by `reveal_secrets`. */
  application_secrets: z
    .object({
      state: z.enum(['pending', 'available', 'revealed', 'expired']),
      expires_at: timestamp.nullable(),
      items: z.array(applicationSecret),
    })
    .nullable(),
  access: z.array(access),
  /** That it is kept off, and why; without a reason while it is just being brought back. */
  suspension: z.object({ reasons: z.array(suspensionReason), since: timestamp }).nullable(),
  backup_plan: backupPlan.nullable(),
  /**
   * `isolated`: it is reached and answers, and opens no connection but to what the operator allows. `closed`: it is
   * unplugged.
   */
  network: z.enum(['open', 'isolated', 'closed']),
  /** Cron and timers rest in it until its network is opened. */
  holds_timers: z.boolean(),
  /** What it is a copy of, which may be gone by now. */
  clone: z.object({ original_id: id, exact: z.boolean() }).nullable(),
  /**
   * A rescue system that its next boot is from, if that comes in time (`waiting`), or that it runs from until the boot
   * after (`running`), when its own host key and password let nobody in: it has its own.
   */
  rescue: z
    .object({
      state: z.enum(['waiting', 'running']),
      host_key: z.string().nullable(),
      /** Until when it waits. */
      expires_at: timestamp.nullable(),
      /** How many SSH keys it lets in; none: a password. */
      ssh_keys: z.int(),
    })
    .nullable(),
  /** Why the server is not what its owner wants, in a sentence. */
  reason: z.string().nullable(),
});

/** `id` is 0: an address is no resource of its own here. */
const address = z.object({ id: z.literal(0), ip: z.string(), blocked: z.boolean(), dns_ptr: z.string() });
const addressV6 = z.object({
  id: z.literal(0),
  ip: z.string(),
  blocked: z.boolean(),
  dns_ptr: z.array(z.never()),
});

export const server = z
  .object({
    id,
    name: z.string(),
    status: z.enum(serverStatuses),
    created: timestamp,
    public_net: z.object({
      ipv4: address.nullable(),
      ipv6: addressV6.nullable(),
      floating_ips: z.array(id),
      firewalls: z.array(z.never()),
    }),
    private_net: z.array(z.never()),
    server_type: serverType,
    datacenter,
    location,
    image: image.nullable(),
    iso: iso.nullable(),
    rescue_enabled: z.boolean(),
    locked: z.boolean(),
    backup_window: z.string().nullable(),
    outgoing_traffic: z.int().nullable(),
    ingoing_traffic: z.int().nullable(),
    included_traffic: z.int().nullable(),
    primary_disk_size: z.int(),
    protection: z.object({ delete: z.boolean(), rebuild: z.boolean() }),
    labels,
    volumes: z.array(id),
    load_balancers: z.array(id),
    placement_group: z.null(),
    servery: serverExtra,
  })
  .meta({ id: 'Server' });

const USER_DATA_MAX_BYTES = 32 * 1024;

export const userData = z
  .string()
  .refine((text) => new TextEncoder().encode(text).byteLength <= USER_DATA_MAX_BYTES, {
    error: 'must have at most 32 KiB',
  })
  .meta({
    description:
      'For cloud-init, which reads it at the first boot and rests from then on: per-boot parts (`bootcmd`, `scripts-per-boot`) run that once. At most 32 KiB.',
  });

/** The order of a server. `root_password` is in the answer when a token asks and gives no `ssh_keys`. */
export const createServer = z.strictObject({
  name: hostname,
  server_type: idOrName,
  image: idOrName,
  location: idOrName.optional(),
  datacenter: idOrName.optional(),
  ssh_keys: z.array(idOrName).max(50, { error: 'at most 50 keys' }).optional(),
  user_data: userData.optional(),
  labels: labelsInput.optional(),
  start_after_create: z.boolean().default(true),
  public_net: z
    .strictObject({
      enable_ipv4: z
        .literal(true, { error: 'a server without IPv4 is not available here yet' })
        .default(true),
      /** Servers get IPv6 where their location has it. */
      enable_ipv6: z.boolean().default(true),
      ipv4: notYet(),
      ipv6: notYet(),
    })
    .optional(),
  automount: z.boolean().default(false).meta({
    description:
      'Its `volumes` are mounted at `/mnt/HC_Volume_<id>`, at each boot, where they have a file system and the image has the guest agent.',
  }),
  firewalls: notYet(),
  networks: notYet(),
  placement_group: notYet(),
  volumes: z
    .array(id)
    .max(16, { error: 'at most 16 volumes' })
    .refine((ids) => new Set(ids).size === ids.length, { error: 'name each volume once' })
    .default([])
    .meta({
      description:
        'Volumes of the project that it has from the start: free ones, in its location, which is theirs unless it is told. Those with data have to lie together (`volumes_apart` says which do).',
    }),
});

/**
 * The order of a copy of a server. A safe one is a machine of its own, with a new address, on the `isolated` network
 * unless told. An `exact` one has its original's address and identity too, and is on no network until that is deleted.
 */
export const cloneServer = z
  .strictObject({
    name: hostname,
    exact: z.boolean().default(false),
    network: z.enum(['isolated', 'open']).optional(),
    /** Cron and timers rest in it until its network is opened. */
    hold_timers: z.boolean().default(false),
    labels: labelsInput.optional(),
    start_after_create: z.boolean().default(true),
  })
  .refine(({ exact, network }) => !exact || network === undefined, {
    path: ['network'],
    error: 'an exact copy is on no network until its original is deleted',
  })
  .refine(({ exact, hold_timers }) => !exact || !hold_timers, {
    path: ['hold_timers'],
    error: 'nothing is changed in an exact copy: leave this out, or make a safe one',
  });

export const updateServer = z.strictObject({ name: hostname.optional(), labels: labelsInput.optional() });

export const rebuildServer = z.strictObject({ image: idOrName, user_data: userData.optional() });

/**
 * When backups are made: in a window of four hours, in UTC; each day, or on the `weekday` on which the window begins
 * (null: each day again). The newest `keep` stay. What is not given, as all is without a body, stays as it is, or is
 * chosen.
 */
export const enableBackup = z
  .strictObject({
    backup_window: z.enum(backupWindows).nullish(),
    weekday: z.enum(weekdays).nullish(),
    keep: z.int().min(1).max(7).optional(),
  })
  .prefault({});

/**
 * Another size. The disk grows with `upgrade_disk`, and stays as it is without; it never shrinks. The server is running
 * afterwards.
 */
export const changeType = z.strictObject({
  server_type: idOrName,
  upgrade_disk: z.boolean(),
  restart: z.boolean().default(false).meta({
    description:
      'Also a server that runs: it is shut down for it, by its power button, and started again. Without it such a server is refused with `server_not_stopped`.',
  }),
});

/** A rescue system for the next boot. A `root_password` is in the answer where no `ssh_keys` are given. */
export const enableRescue = z.strictObject({
  type: z.literal('linux64').default('linux64'),
  ssh_keys: z.array(idOrName).max(50, { error: 'at most 50 keys' }).default([]),
});

/** What it is guarded against: `delete`, and `rebuild`, which a roll back is too. What is not given stays as it is. */
export const changeServerProtection = z.strictObject({
  delete: z.boolean().optional(),
  rebuild: z.boolean().optional(),
});

/** Back, in place, to what a snapshot or backup holds of this server. */
export const rollBackServer = z.strictObject({
  image: idOrName,
  /** To what it held in memory too, where the image has that and the server runs; else it boots. */
  with_memory: z.boolean().default(true),
});

export const serverResponse = z.object({ server });
export const serverListResponse = z.object({ servers: z.array(server), meta });

export const createServerResponse = z.object({
  server,
  action,
  next_actions: z.array(action),
  root_password: z.string().nullable(),
});

export const resetPasswordResponse = z.object({ action, root_password: z.string().optional() });
/** `root_password` is empty where SSH keys are given: Hetzner's Python library reads it in any case. */
export const enableRescueResponse = z.object({ action, root_password: z.string() });
/** `root_password` is the new system's: where that does not work, the server keeps the one that it has. */
export const rebuildServerResponse = z.object({ action, root_password: z.string().nullable() });

/** A password that is shown this once. */
export const credentialsResponse = z.object({
  credentials: z.object({ username: z.string(), password: z.string() }),
});

export const applicationSecretsResponse = z.object({
  secrets: z.array(applicationSecret.extend({ value: z.string() })),
});

export const serverListQuery = z.strictObject({
  name: searchText.optional(),
  label_selector: z.string().optional(),
  status: several(z.enum(serverStatuses)).optional(),
  sort: sortQuery(['id', 'name', 'created']),
  ...pageQuery,
});

export type ServerWire = z.output<typeof server>;
export type ServerExtraWire = z.output<typeof serverExtra>;
export type ServerStatus = (typeof serverStatuses)[number];
export type CreateServer = z.output<typeof createServer>;
export type CloneServer = z.output<typeof cloneServer>;
export type EnableRescue = z.output<typeof enableRescue>;
export type RebuildServer = z.output<typeof rebuildServer>;
export type EnableBackup = z.output<typeof enableBackup>;
export type ChangeType = z.output<typeof changeType>;
export type RollBackServer = z.output<typeof rollBackServer>;
export type CreateServerResponse = z.output<typeof createServerResponse>;
