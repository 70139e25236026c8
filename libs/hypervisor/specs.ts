import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { HypervisorError } from './hypervisor.errors.ts';
import {
  type AttachedVolume,
  type BlockVolumeSpec,
  FILE_SYSTEMS,
  type GrowSpec,
  VOLUME_SLOTS,
} from './port/block-volumes.ts';
import type { FreezeSpec, HostCopy, OverlaySpec, ResumeSpec, VolumeCopy } from './port/disks.ts';
import type { DomainSpec } from './port/domains.ts';
import type { ImageFile } from './port/images.ts';
import type { SeedSpec } from './port/seeds.ts';

/** Safe as a libvirt name, a file name, and an argument: never starts with `-` or `.`. */
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'letters, digits, ".", "_" and "-" only, starting with a letter or digit',
  );
const volumeName = name.max(200);
const storageMark = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,79}$/, 'letters, digits and "-", at most 80');
const uuid = z.uuid();
/** The second hex digit is even: a unicast address. */
const mac = z.string().regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, 'a unicast MAC address in lower case');

const sizeGib = z.int().min(1).max(65_536);

const attachedVolume = z.strictObject({
  volumeName,
  serial: z.string().regex(/^\d{1,20}$/, 'digits, at most 20'),
  slot: z
    .int()
    .min(0)
    .max(VOLUME_SLOTS - 1),
});

const blockVolumeSpec = z.strictObject({ volumeName, sizeGib, format: z.enum(FILE_SYSTEMS).optional() });
const growSpec = z.strictObject({ volumeName, sizeGib, domainUuid: uuid.optional() });

const domainSpec = z.strictObject({
  uuid,
  name: name.max(63),
  serverId: z.int().positive(),
  vcpus: z.int().min(1).max(512),
  memoryMib: z
    .int()
    .min(16)
    .max(16 * 1024 * 1024),
  diskVolume: volumeName,
  seedVolume: volumeName.optional(),
  mac,
  ipv4: z.string().refine(isIPv4, 'an IPv4 address'),
  network: z.enum(['open', 'isolated', 'closed']).optional(),
  firmware: z.enum(['bios', 'uefi']),
  diskBus: z.enum(['virtio', 'sata', 'ide']),
  nicModel: z.enum(['virtio', 'e1000e']),
  volumes: z.array(attachedVolume).max(VOLUME_SLOTS).optional(),
  rescue: z.strictObject({ diskVolume: volumeName, seedVolume: volumeName.optional() }).optional(),
  iso: volumeName.optional(),
});

const overlaySpec = z.strictObject({
  volumeName,
  base: z.union([z.strictObject({ image: volumeName }), z.strictObject({ frozen: volumeName })]),
  sizeGib,
});

const freezeSpec = z
  .strictObject({ frozenVolume: volumeName, nextVolume: volumeName, memoryVolume: volumeName.optional() })
  .refine((spec) => new Set(Object.values(spec)).size === Object.values(spec).length, 'volumes of their own');

const resumeSpec = z
  .strictObject({ memoryVolume: volumeName, diskVolume: volumeName })
  .refine(({ memoryVolume, diskVolume }) => memoryVolume !== diskVolume, 'two volumes');

const volumeCopy = z
  .strictObject({ volumeName, fromVolumeName: volumeName, format: z.enum(['qcow2', 'raw']) })
  .refine((copy) => copy.volumeName !== copy.fromVolumeName, 'a copy has a name of its own');

const hostCopy = z.object({ volumeName, fromVolumeName: volumeName });

const imageFile = z.strictObject({
  volumeName,
  path: z.string().startsWith('/', 'an absolute path'),
  format: z.enum(['qcow2', 'raw']),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits in lower case'),
  virtualSizeBytes: z
    .int()
    .positive()
    .refine((bytes) => bytes % 512 === 0, 'a multiple of 512'),
});

const yamlDocument = z.record(z.string(), z.unknown());
const seedSpec = z.strictObject({
  volumeName,
  userData: z.union([yamlDocument, z.string()]),
  vendorData: yamlDocument.optional(),
  metaData: z.looseObject({ 'instance-id': z.string().min(1) }),
  networkConfig: yamlDocument,
  files: z.record(z.string().regex(/^[a-z0-9][a-z0-9_.]{0,63}$/), z.string().max(64 * 1024)).optional(),
});

const user = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a user name');
/** What `chpasswd` cannot take: control characters. */
const password = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}+$/u, 'no control characters');

function check(schema: z.ZodType, what: string, value: unknown): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const fields = result.error.issues.map((issue) => ({
    name: issue.path.join('.') || what,
    messages: [issue.message],
  }));
  const named = fields.map((field) => field.name).join(', ');
  throw new HypervisorError('invalid_spec', `The ${what} is wrong at: ${named}.`, { fields });
}

/** Each throws `invalid_spec` naming the wrong fields; none repeats a value, for it may be a secret. */
export const checkDomainSpec = (spec: DomainSpec) => check(domainSpec, 'domain', spec);
export const checkOverlaySpec = (spec: OverlaySpec) => check(overlaySpec, 'overlay', spec);
export const checkFreezeSpec = (spec: FreezeSpec) => check(freezeSpec, 'freeze', spec);
export const checkResumeSpec = (spec: ResumeSpec) => check(resumeSpec, 'resume', spec);
export const checkImageFile = (image: ImageFile) => check(imageFile, 'image', image);
export const checkSeedSpec = (spec: SeedSpec) => check(seedSpec, 'seed', spec);
export const checkAttachedVolume = (volume: AttachedVolume) => check(attachedVolume, 'volume', volume);
export const checkBlockVolumeSpec = (volume: BlockVolumeSpec) => check(blockVolumeSpec, 'volume', volume);
export const checkGrowSpec = (spec: GrowSpec) => check(growSpec, 'volume', spec);
export const checkVolumeCopy = (copy: VolumeCopy) => check(volumeCopy, 'copy', copy);
export const checkHostCopy = (copy: HostCopy) => check(hostCopy, 'copy', copy);
export const checkVolumeName = (volume: string) => check(volumeName, 'volume name', volume);
export const checkStorageMark = (mark: string) => check(storageMark, 'mark', mark);
export const checkUuid = (id: string) => check(uuid, 'domain UUID', id);
export const checkLogin = (login: { user: string; password: string }) =>
  check(z.strictObject({ user, password }), 'login', login);
