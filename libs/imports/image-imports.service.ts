import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { type DiskFormat, fetchableUrl, type InspectedFile } from '#libs/disk-files';
import { type Appliance, Image } from '#libs/images';
import { bytesToWholeGib, newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import { EnvelopeCipher, type SealedColumn } from '#libs/secrets';
import { Action, newAction } from '#libs/servers';
import { importImageRequest } from './import-request.ts';
import { IMPORT_SETTINGS, type ImportSettings } from './import-settings.ts';
import { assertRoomForImport, taken, UploadsService } from './uploads.service.ts';

/** An image as its owner wants it. */
export interface WantedImport {
  /** Made by `newId()`; the same one whenever the request is repeated. */
  readonly imageId: number;
  readonly accountId: number;
  readonly projectId: number;
  readonly name: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly format: DiskFormat;
  /** Written into the system on it, for its root. */
  readonly sshPublicKeys: readonly string[];
}

export interface StartedImport {
  readonly image: Image;
  readonly action: Action;
}

type Source = { readonly uploadId: number } | { readonly url: string };

/** Makes images of disks that customers bring along. */
@Injectable()
export class ImageImports {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly cipher: EnvelopeCipher,
    private readonly uploads: UploadsService,
    @Inject(IMPORT_SETTINGS) private readonly settings: ImportSettings,
  ) {}

  /**
   * Of a file that is here. Its header is read in the sandbox before anything else, so that what is wrong with it is
   * told at once.
   * @throws ImportsError; DomainError of `DISK_FILE_ERROR_CODES`
   */
  async fromUpload(wanted: WantedImport, uploadId: number): Promise<StartedImport> {
    const started = await this.findStarted(wanted);
    if (started) return started;
    const found = await this.uploads.inspect(wanted.projectId, uploadId, wanted.format);
    return this.start(wanted, { uploadId }, found);
  }

  /**
   * Of a file that is fetched over https. What can be known of the address at once is refused at once.
   * @throws ImportsError; DomainError `fetch_url_refused`, `fetch_address_refused`
   */
  async fromUrl(wanted: WantedImport, url: string): Promise<StartedImport> {
    const { href } = fetchableUrl(url);
    return (await this.findStarted(wanted)) ?? this.start(wanted, { url: href }, null);
  }

  /** What a former request of the same id has started. */
  private async findStarted({ imageId, projectId }: WantedImport): Promise<StartedImport | undefined> {
    const { manager } = this.dataSource;
    const action = await manager.findOneBy(Action, { imageId, projectId, command: 'import_image' });
    return action ? { action, image: await manager.findOneByOrFail(Image, { id: imageId }) } : undefined;
  }

  private async start(
    wanted: WantedImport,
    source: Source,
    found: InspectedFile | null,
  ): Promise<StartedImport> {
    const { imageId } = wanted;
    const { started, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      if ('uploadId' in source) await take(manager, source.uploadId, imageId);
      await assertRoomForImport(manager, wanted.projectId, this.settings);
      const image = await insertImage(manager, imageId, wanted, found);
      await this.insertImport(manager, imageId, wanted, source);
      const sagaId = newId();
      const { projectId } = wanted;
      const action = newAction({ projectId, serverId: null, sagaId, command: 'import_image', imageId });
      await manager.insert(Action, action);
      const wakeUp = await this.sagas.start(
        manager,
        importImageRequest,
        { imageId },
        { sagaId, actionId: action.id, subject: { type: 'image', id: imageId } },
      );
      return { started: { image, action }, wakeUp };
    });
    await this.queue.poke(wakeUp);
    return started;
  }

  private async insertImport(
    manager: EntityManager,
    imageId: number,
    { accountId, format, sshPublicKeys }: WantedImport,
    source: Source,
  ): Promise<void> {
    const sealed = 'url' in source ? this.cipher.seal(source.url, urlContext(imageId)) : null;
    await manager.query(
      `INSERT INTO image_imports (image_id, account_id, currency, format, upload_id, sealed_url, ssh_public_keys)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        imageId,
        accountId,
        this.settings.currency,
        format,
        'uploadId' in source ? source.uploadId : null,
        sealed,
        sshPublicKeys,
      ],
    );
  }
}

/** Binds a sealed URL to its row. */
export function urlContext(imageId: number | string): string {
  return `import:${imageId}:url`;
}

export const sealedUrls: SealedColumn = {
  table: 'image_imports',
  column: 'sealed_url',
  key: ['image_id'],
  contextOf: urlContext,
};

/** From here on the upload is the import's, and goes with it. @throws ImportsError `upload_taken` */
async function take(manager: EntityManager, uploadId: number, imageId: number): Promise<void> {
  const [, count] = await manager.query<[unknown[], number]>(
    'UPDATE uploads SET image_id = $2 WHERE id = $1 AND image_id IS NULL',
    [uploadId, imageId],
  );
  if (count === 0) throw taken(uploadId);
}

async function insertImage(
  manager: EntityManager,
  id: number,
  { projectId, name, description, labels }: WantedImport,
  found: InspectedFile | null,
): Promise<Image> {
  const repository = manager.getRepository(Image);
  const virtualSizeBytes = found?.disks[0]?.virtualSizeBytes ?? 0;
  await repository.insert({
    id,
    name: `import-${id}`,
    type: 'snapshot',
    volumeName: importedVolume(id),
    sha256: null,
    fileSizeBytes: 0,
    virtualSizeBytes,
    appliance: foreignAppliance(id, name, bytesToWholeGib(virtualSizeBytes)),
    packageCount: 0,
    projectId,
    status: 'creating',
    description: description ?? name,
    labels: { ...labels },
  });
  return repository.findOneByOrFail({ id });
}

/** The golden image on hosts that an imported one is. */
function importedVolume(imageId: number): string {
  return `import-${imageId}.qcow2`;
}

/** Nothing is known of it but its size: no service is promised, and no memory demanded. */
function foreignAppliance(id: number, title: string, minimumDiskGib: number): Appliance {
  return {
    name: `import-${id}`,
    title,
    summary: '',
    description: '',
    category: 'import',
    iconSvg: '',
    osFlavor: 'unknown',
    osVersion: '',
    licence: 'unknown',
    ports: [],
    healthChecks: [],
    minimumMemoryMib: 0,
    minimumDiskGib,
    isForeign: true,
  };
}
