import type { EntityManager } from 'typeorm';
import { ServerType } from '#libs/catalog';
import { Export, type ExportSubject } from '#libs/exports';
import type { HostRef, OverlayBase } from '#libs/hypervisor';
import { Image } from '#libs/images';
import { bytesToWholeGib } from '#libs/kernel';
import { addressOf } from '#libs/networks';
import { Host, toHostRef } from '#libs/placement';
import { PermanentError, SagaStore } from '#libs/saga';
import { FrozenDisk, Server, systemImageId } from '#libs/servers';
import type { WorkflowDeps } from './workflow-deps.ts';

/** What an export reads, on its host, and what its papers say of it. */
export interface ExportSource {
  readonly base: OverlayBase;
  /** Of a golden image: of its disk, in whole GiB. */
  readonly sizeGib: number;
  readonly subject: ExportSubject;
}

/** Of what was brought along, nothing is known. */
const UNKNOWN_NEEDS_MIB = 1024;

const HOW: Readonly<Record<FrozenDisk['consistency'], ExportSubject['frozenHow']>> = {
  filesystem: 'consistent',
  crash: 'crash',
  as_left: 'off',
};

export function loadExport(manager: EntityManager, exportId: number): Promise<Export> {
  return manager.getRepository(Export).findOneByOrFail({ id: exportId });
}

/** Undefined where the host is forgotten. */
export async function exportHost(manager: EntityManager, exportId: number): Promise<HostRef | undefined> {
  const { hostId } = await loadExport(manager, exportId);
  const host = hostId === null ? null : await manager.getRepository(Host).findOneBy({ id: hostId });
  return host ? toHostRef(host) : undefined;
}

/**
 * Undefined as long as the disk is not frozen.
 * @throws PermanentError `export_source_gone`, or what kept it from being frozen
 */
export async function exportSource(
  { dataSource }: Pick<WorkflowDeps, 'dataSource'>,
  { exportId, freezeSagaId }: { readonly exportId: number; readonly freezeSagaId: number | null },
): Promise<ExportSource | undefined> {
  const { manager } = dataSource;
  const wanted = await loadExport(manager, exportId);
  // Before the disk: whoever has ended has written down what was frozen.
  const freezing = freezeSagaId === null ? undefined : await new SagaStore(dataSource).find(freezeSagaId);
  const frozen = wanted.frozenDiskId === null ? null : await frozenDisk(manager, wanted.frozenDiskId);
  if (wanted.frozenDiskId !== null && !frozen) {
    if (freezing?.finishedAt === null) return undefined;
    throw new PermanentError(
      freezing?.error?.code ?? 'export_source_gone',
      freezing?.error?.message ?? 'what was to be exported is not there any more',
    );
  }
  return describe(manager, wanted, frozen);
}

function frozenDisk(manager: EntityManager, id: number): Promise<FrozenDisk | null> {
  return manager.getRepository(FrozenDisk).findOneBy({ id });
}

async function describe(
  manager: EntityManager,
  wanted: Export,
  frozen: FrozenDisk | null,
): Promise<ExportSource> {
  if (frozen?.removedAt) throw new PermanentError('export_source_gone', 'the disk is not there any more');
  const { image, hardware } =
    wanted.serverId === null
      ? await ofImage(manager, wanted.imageId ?? 0)
      : await ofServer(manager, wanted.serverId);
  const { name, title, osVersion: version, osFlavor, licence } = image.appliance;
  return {
    base: frozen ? { frozen: frozen.volumeName } : { image: image.volumeName },
    sizeGib: bytesToWholeGib(image.virtualSizeBytes),
    subject: {
      name: fileName(wanted.sourceName),
      ...hardware,
      // What we cooked starts by either.
      firmware: image.appliance.isForeign ? [image.devices.firmware] : ['bios', 'uefi'],
      image: { name, title, version, osFlavor, licence, ...(image.sha256 && { sha256: image.sha256 }) },
      frozenAt: (frozen?.frozenAt ?? image.createdAt).toISOString(),
      frozenHow: frozen ? HOW[frozen.consistency] : 'off',
    },
  };
}

type Hardware = Pick<ExportSubject, 'vcpus' | 'memoryMib' | 'network'>;

/** Also of one that was deleted meanwhile, whose address is another's by now. */
async function ofServer(manager: EntityManager, id: number): Promise<{ image: Image; hardware: Hardware }> {
  const server = await manager.getRepository(Server).findOneByOrFail({ id });
  const type = await manager.getRepository(ServerType).findOneByOrFail({ id: server.serverTypeId });
  const image = await manager.getRepository(Image).findOneByOrFail({ id: systemImageId(server) });
  const address = await addressOf(manager, id);
  const { vcpus, memoryMib } = type;
  const network = address && { mac: address.mac, ipv4: address.ip };
  return { image, hardware: { vcpus, memoryMib, ...(network && { network }) } };
}

async function ofImage(manager: EntityManager, id: number): Promise<{ image: Image; hardware: Hardware }> {
  const image = await manager.getRepository(Image).findOneByOrFail({ id });
  const memoryMib = image.appliance.minimumMemoryMib || image.importReport?.machine?.memoryMib;
  return { image, hardware: { vcpus: 1, memoryMib: memoryMib || UNKNOWN_NEEDS_MIB } };
}

/** Files are named after it: of a host name's letters, at most 63. */
function fileName(text: string): string {
  const name = text.replaceAll(/[^a-z0-9.-]+/gi, '-').slice(0, 63);
  return name.replaceAll(/^[.-]+|[.-]+$/g, '') || 'disk';
}
