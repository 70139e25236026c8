import { z } from 'zod';
import { action } from './action.ts';
import {
  entryChange,
  flag,
  id,
  idParam,
  meta,
  pageQuery,
  protection,
  searchText,
  several,
  sortQuery,
  text,
  timestamp,
} from './common.ts';
import { labels, labelsInput } from './labels.ts';

/** What a server's guest finds its disk and its network on. */
export const devices = z.object({
  firmware: z.enum(['bios', 'uefi']),
  disk_bus: z.enum(['virtio', 'sata', 'ide']),
  nic_model: z.enum(['virtio', 'e1000e']),
});

/** What is looked for before a server is handed over; what it is is said at `servery.verification` of a server. */
export const verification = z.enum(['identity', 'ssh', 'running']);

/** What was found in the file that an image was imported from. What `machine` asked for is a hint. */
export const importReport = z
  .object({
    format: z.string(),
    disk_count: z.int(),
    partition_table: z.enum(['mbr', 'gpt']).nullable(),
    machine: z
      .object({
        name: z.string().nullable(),
        cpus: z.int().nullable(),
        memory_mib: z.int().nullable(),
        firmware: z.enum(['bios', 'efi']).nullable(),
        operating_system: z.string().nullable(),
      })
      .nullable(),
    /** How it can be started, by what lies in its first sectors and its EFI system partition. */
    boot: z.object({ bios: z.boolean(), uefi: z.boolean() }).nullable(),
    file_systems: z.array(z.string()),
    guest: z
      .object({
        os_id: z.string().nullable(),
        os_version: z.string().nullable(),
        /** By Linux's names; a kernel of it has them. */
        drivers: z.array(z.string()),
        cloud_init: z.boolean(),
        guest_agent: z.boolean(),
        ssh_server: z.boolean(),
        /** What it lacks in cloud-init was put into it. */
        reads_seed: z.boolean(),
      })
      .nullable(),
    /** Keys that were written into it for its root. */
    ssh_keys: z.int(),
    notes: z.array(z.string()),
  })
  .meta({ id: 'ImportReport' });

/** What Servery says of an image beyond Hetzner's words. */
export const imageExtra = z.object({
  /** Who had it made of a server; `roll_back`: the state that one left behind. Null: it was not made of a server. */
  made_by: z.enum(['owner', 'plan', 'roll_back']).nullable(),
  /** When it is deleted by itself. */
  expires_at: timestamp.nullable(),
  /** Whether it has what the server held in memory. */
  has_memory: z.boolean(),
  /**
   * Whether a start from a backup was tried out, and what that showed. `checks` is what was found in order. Null: it is no
   * backup, and none was tried.
   */
  restore_test: z
    .object({
      state: z.enum(['untested', 'passed', 'failed']),
      tested_at: timestamp.nullable(),
      reason: z.string().nullable(),
      checks: z.array(z.enum(['started', 'disk_read', 'agent', 'file_systems', 'health'])),
    })
    .nullable(),
  devices,
  verification,
  /** Of what was imported, when it is ready. */
  import: importReport.optional(),
  /** What it was cooked of. Null: of no recipe of the project. */
  recipe: z.object({ id, version: z.int(), cook: id }).nullable(),
  /** Hosts that could not take what was imported when they were last asked; servers are placed on others. */
  refusals: z.array(z.object({ code: z.string(), tried: timestamp })).optional(),
});

/** A golden image. Appliances have `type: app`. `disk_size` and `image_size` are in GB. */
export const image = z
  .object({
    id,
    type: z.enum(['system', 'app', 'snapshot', 'backup']),
    status: z.enum(['available', 'creating', 'unavailable']),
    name: z.string().nullable(),
    description: z.string(),
    image_size: z.number().nullable(),
    disk_size: z.number(),
    created: timestamp,
    created_from: z.object({ id, name: z.string() }).nullable(),
    bound_to: id.nullable(),
    os_flavor: z.enum(['alma', 'centos', 'debian', 'fedora', 'opensuse', 'rocky', 'ubuntu', 'unknown']),
    os_version: z.string().nullable(),
    architecture: z.enum(['x86', 'arm']),
    rapid_deploy: z.boolean(),
    protection,
    deprecated: timestamp.nullable(),
    deleted: timestamp.nullable(),
    labels,
    servery: imageExtra,
  })
  .meta({ id: 'Image' });

export const imageResponse = z.object({ image });
export const imageListResponse = z.object({ images: z.array(image), meta });

export const imageListQuery = z.strictObject({
  name: searchText.optional(),
  type: several(z.enum(['system', 'app', 'snapshot', 'backup'])).optional(),
  status: several(z.enum(['available', 'creating', 'unavailable'])).optional(),
  architecture: several(z.enum(['x86', 'arm'])).optional(),
  bound_to: several(searchText).optional(),
  /** Ids of recipes that it was cooked of. */
  recipe: several(searchText).optional(),
  include_deprecated: flag.optional(),
  label_selector: z.string().optional(),
  sort: sortQuery(['id', 'name', 'created']),
  ...pageQuery,
});

/** A Debian package that a cooked image has. */
export const imagePackage = z
  .object({
    name: z.string(),
    version: z.string(),
    architecture: z.string(),
    /** The source package that it was built from. */
    source: z.string(),
    /** Of the .deb. */
    sha256: z.string(),
  })
  .meta({ id: 'ImagePackage' });

export const imagePackagesResponse = z.object({ packages: z.array(imagePackage), meta });

export const imagePackagesQuery = z.strictObject({
  name: searchText.optional(),
  source: searchText.optional(),
  search: searchText.optional().meta({ description: 'a part of a name, or of a source package’s' }),
  sort: sortQuery(['name', 'source']),
  ...pageQuery,
});

export const packageChangesQuery = z.strictObject({
  since: idParam.meta({ description: 'the image that it is compared with' }),
});

export const packageChangesResponse = z.object({
  package_changes: z.array(entryChange),
});

/** As Hetzner has it; a backup takes a slot of the server's plan, which must have one. */
export const createImage = z.strictObject({
  description: text.max(255).nullish(),
  type: z.enum(['snapshot', 'backup']).default('snapshot'),
  labels: labelsInput.optional(),
  /** With what the server holds in memory, so that a roll back goes on from that moment without a boot. It must run. */
  with_memory: z.boolean().default(false),
});
/** `type: snapshot` keeps a backup, or what a roll back left behind, until its owner deletes it. */
export const updateImage = z.strictObject({
  description: text.max(255).optional(),
  type: z.literal('snapshot').optional(),
  labels: labelsInput.optional(),
  /** What was detected may be wrong. It holds for servers that are ordered, or rebuilt, from then on. */
  servery: z
    .strictObject({
      devices: z.strictObject(devices.partial().shape).optional(),
      verification: verification.optional(),
    })
    .optional(),
});
export const changeImageProtection = z.strictObject({ delete: z.boolean() });
export const createImageResponse = z.object({ action, image });

export type CreateImage = z.output<typeof createImage>;
export type UpdateImage = z.output<typeof updateImage>;
export type ImageWire = z.output<typeof image>;
export type ImagePackageWire = z.output<typeof imagePackage>;
export type PackageChangesWire = z.output<typeof packageChangesResponse>['package_changes'];
export type DevicesWire = z.output<typeof devices>;
export type ImportReportWire = z.output<typeof importReport>;
