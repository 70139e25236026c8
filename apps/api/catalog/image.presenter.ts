import {
  type DevicesWire,
  type ImageWire,
  type ImportReportWire,
  image as imageSchema,
} from '#libs/contracts';
import type { Devices } from '#libs/hypervisor';
import type { Appliance, Image, ImageRefusal, ImportReport } from '#libs/images';
import { BYTES_PER_GIB } from '#libs/kernel';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

/** All images have it in common, so that filters on it are answered without looking. */
export const ARCHITECTURE = 'x86';

export function presentImage(image: Image, refusals: readonly ImageRefusal[] = []): ImageWire {
  const { appliance } = image;
  const flavor = imageSchema.shape.os_flavor.safeParse(appliance.osFlavor);
  return {
    id: image.id,
    // Nobody is shown a rescue system: on the wire it is a system.
    type: image.type === 'rescue' ? 'system' : image.type,
    status: image.status,
    name: image.projectId === null ? image.name : null,
    description: image.description ?? appliance.title,
    image_size:
      image.status === 'creating' ? null : Math.round((image.fileSizeBytes / BYTES_PER_GIB) * 100) / 100,
    disk_size: appliance.minimumDiskGib,
    created: wireTime(image.createdAt),
    created_from: image.serverId === null ? null : { id: image.serverId, name: image.serverName ?? '' },
    bound_to: image.type === 'backup' ? image.serverId : null,
    os_flavor: flavor.success ? flavor.data : 'unknown',
    os_version: appliance.osVersion || null,
    architecture: ARCHITECTURE,
    rapid_deploy: true,
    protection: { delete: image.isDeleteProtected },
    deprecated: wireTimeOrNull(image.deprecatedAt),
    deleted: wireTimeOrNull(image.deletedAt),
    labels: image.labels,
    servery: {
      made_by: image.madeBy,
      has_memory: image.memoryBytes !== null,
      expires_at: wireTimeOrNull(image.expiresAt),
      restore_test: presentRestoreTest(image),
      devices: presentDevices(image.devices),
      verification: image.verification,
      recipe: presentRecipeOf(image),
      ...(image.importReport && { import: presentReport(image.importReport) }),
      ...(refusals.length > 0 && {
        refusals: refusals.map(({ code, triedAt }) => ({ code, tried: wireTime(triedAt) })),
      }),
    },
  };
}

function presentRecipeOf({ recipeId: id, recipeVersion: version, cookId: cook }: Image) {
  return id === null || version === null || cook === null ? null : { id, version, cook };
}

function presentRestoreTest({ type, restoreTestedAt, restoreFailure, restoreChecks }: Image) {
  const none = { tested_at: null, reason: null, checks: [] };
  if (restoreTestedAt === null) return type === 'backup' ? { state: 'untested' as const, ...none } : null;
  return {
    state: restoreFailure === null ? ('passed' as const) : ('failed' as const),
    tested_at: wireTime(restoreTestedAt),
    reason: restoreFailure,
    checks: restoreChecks,
  };
}

function presentReport(report: ImportReport): ImportReportWire {
  const { format, diskCount, partitionTable, machine, boot, fileSystems, guest, sshKeys, notes } = report;
  return {
    format,
    disk_count: diskCount,
    partition_table: partitionTable,
    machine: machine && {
      name: machine.name,
      cpus: machine.cpus,
      memory_mib: machine.memoryMib,
      firmware: machine.firmware,
      operating_system: machine.operatingSystem,
    },
    boot,
    file_systems: [...fileSystems],
    guest: guest && {
      os_id: guest.osId,
      os_version: guest.osVersion,
      drivers: [...guest.drivers],
      cloud_init: guest.hasCloudInit,
      guest_agent: guest.hasGuestAgent,
      ssh_server: guest.hasSshServer,
      reads_seed: guest.readsSeed,
    },
    ssh_keys: sshKeys,
    notes: [...notes],
  };
}

export function presentDevices({ firmware, diskBus, nicModel }: Devices): DevicesWire {
  return { firmware, disk_bus: diskBus, nic_model: nicModel };
}

/** What an application's secrets are, without their values. */
export function presentSecrets({ secrets = [] }: Pick<Appliance, 'secrets'>) {
  return secrets.map(({ name, title, username = null }) => ({ name, title, username }));
}
