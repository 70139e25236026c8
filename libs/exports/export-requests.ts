import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { runInTransaction } from '#libs/database';
import { Image, ImagesService } from '#libs/images';
import { newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp, sagaRequest } from '#libs/saga';
import {
  Action,
  newAction,
  ownServer,
  refuseWhileLocked,
  requestFreeze,
  ServersError,
  systemImageId,
} from '#libs/servers';
import { Export } from './export.entity.ts';
import { exportsError } from './exports.errors.ts';
import { exportSubjectOf } from './exports.service.ts';
import type { ExportFormat } from './files/index.ts';
import { admitExport, refuseWhereLicenceForbids, refuseWhileInvestigated } from './may-export.ts';

/** `freezeSagaId`: whom it waits for; null where nothing has to be frozen first. */
export const exportDiskRequest = sagaRequest(
  'export-disk',
  z.strictObject({ exportId: z.number().int(), freezeSagaId: z.number().int().nullable() }),
);

export interface RequestedExport {
  readonly export: Export;
  readonly action: Action;
}

type Source = Pick<Export, 'serverId' | 'imageId' | 'sourceName' | 'hostId' | 'frozenDiskId'>;

interface Wanted {
  readonly projectId: number;
  readonly format: ExportFormat;
  readonly source: Source;
  readonly freezeSagaId: number | null;
}

/**
 * Asks for exports. A server is busy only while its disk is being frozen; what is frozen is read, packed and fetched while
 * its owner goes on with it, or even deletes it.
 */
@Injectable()
export class ExportRequests {
  constructor(
    private readonly dataSource: DataSource,
    private readonly images: ImagesService,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  /**
   * Of what the server's disk holds at one moment, while it runs or not.
   * @throws ServersError `server_not_found`, `server_not_ready`, `server_locked`; DomainError
   * `export_account_suspended`, `export_forbidden_by_licence`, `export_limit_exceeded`
   */
  ofServer(projectId: number, serverId: number, format: ExportFormat): Promise<RequestedExport> {
    return this.transaction(async (manager) => {
      const server = await this.freezableServer(manager, projectId, serverId);
      const { appliance } = await manager.getRepository(Image).findOneByOrFail({ id: systemImageId(server) });
      refuseWhereLicenceForbids(appliance);
      const { frozenDiskId, wakeUp: freezing } = await requestFreeze(manager, this.sagas, server);
      const { name: sourceName, hostId } = server;
      const source = { serverId, imageId: null, sourceName, hostId, frozenDiskId };
      const freezeSagaId = freezing.sagaId;
      const started = await this.start(manager, { projectId, format, source, freezeSagaId });
      return { ...started, wakeUps: [freezing, ...started.wakeUps] };
    });
  }

  /**
   * Of an image of the catalog, or of the project.
   * @throws DomainError `image_not_found`, `export_image_not_ready`, `export_source_unreachable`,
   * `export_account_suspended`, `export_forbidden_by_licence`, `export_limit_exceeded`
   */
  async ofImage(projectId: number, imageId: number, format: ExportFormat): Promise<RequestedExport> {
    const image = await this.images.get(imageId, projectId);
    if (image.status !== 'available') {
      throw exportsError('export_image_not_ready', `image ${imageId} is ${image.status}`);
    }
    refuseWhereLicenceForbids(image.appliance);
    return this.transaction(async (manager) => {
      const hostId = await hostWith(manager, image);
      const sourceName = image.serverName ?? image.name;
      const source = { serverId: null, imageId, sourceName, hostId, frozenDiskId: image.frozenDiskId };
      return this.start(manager, { projectId, format, source, freezeSagaId: null });
    });
  }

  private async freezableServer(manager: EntityManager, projectId: number, serverId: number) {
    const server = await ownServer(manager, projectId, serverId);
    if (server.desired === 'deleted') throw new ServersError('server_locked', 'the server is being deleted');
    if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
    await refuseWhileLocked(manager, serverId);
    return server;
  }

  private async start(manager: EntityManager, { projectId, format, source, freezeSagaId }: Wanted) {
    const accountId = await admitExport(manager, projectId);
    await refuseWhileInvestigated(manager, accountId);
    const [exportId, sagaId] = [newId(), newId()];
    await manager.insert(Export, { id: exportId, accountId, projectId, format, ...source });
    const action = newAction({
      projectId,
      serverId: null,
      exportId,
      sagaId,
      command: source.serverId === null ? 'export_image' : 'export_server',
      ...(source.imageId === null ? {} : { imageId: source.imageId }),
    });
    await manager.insert(Action, action);
    const options = { sagaId, actionId: action.id, subject: exportSubjectOf(exportId) };
    const wakeUp = await this.sagas.start(manager, exportDiskRequest, { exportId, freezeSagaId }, options);
    const written = await manager.getRepository(Export).findOneByOrFail({ id: exportId });
    return { export: written, action, wakeUps: [wakeUp] };
  }

  private async transaction(
    work: (manager: EntityManager) => Promise<RequestedExport & { readonly wakeUps: readonly SagaWakeUp[] }>,
  ): Promise<RequestedExport> {
    const { wakeUps, ...requested } = await runInTransaction(this.dataSource, work);
    for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    return requested;
  }
}

/** A host that has the image, and answers: the emptiest. @throws DomainError `export_source_unreachable` */
async function hostWith(manager: EntityManager, { id }: Image): Promise<number> {
  const [host] = await manager.query<{ id: number }[]>(
    `SELECT h.id FROM hosts h JOIN host_images i ON i.host_id = h.id
     WHERE i.image_id = $1 AND h.state NOT IN ('unreachable', 'lost')
     ORDER BY h.state = 'active' DESC, h.disk_gib - h.used_disk_gib DESC LIMIT 1`,
    [id],
  );
  if (host) return host.id;
  throw exportsError('export_source_unreachable', 'no host with this image answers now: try again later');
}
