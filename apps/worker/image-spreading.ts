import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { runAlone } from '#libs/database';
import { bringImage } from '#libs/fleet';
import { HYPERVISOR, type Hypervisor, HypervisorError } from '#libs/hypervisor';
import {
  hostsWith,
  ImagesService,
  type MissingImage,
  missingImages,
  noteRefusal,
  refusedBy,
  UNDER_WAY,
} from '#libs/images';
import { ImportStore } from '#libs/imports';
import { FindingsService, type Host, HostsService, toHostRef } from '#libs/placement';

/** Any constant: it names the bringing of files from host to host among PostgreSQL's advisory locks. One folder holds them. */
export const SPREADING_LOCK = 7_305_183_641;
/** A host that refused, or during whose turn a worker died, is asked again after so long. */
const RETRY_MINUTES = 15;

/**
 * Brings imported images to hosts that do not have them: those that were added later, were away, or refused. Their files
 * are nowhere but on hosts, so each is fetched from one that has it. The operator is told which hosts refuse.
 */
@Injectable()
export class ImageSpreading {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(HYPERVISOR) private readonly hypervisor: Hypervisor,
    private readonly hosts: HostsService,
    private readonly findings: FindingsService,
    private readonly store: ImportStore,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts, or as far as it comes until told to stop. Nothing while another worker is at it. */
  async run(stop?: AbortSignal): Promise<void> {
    await runAlone(this.dataSource, SPREADING_LOCK, async () => {
      await this.store.removeSpread();
      const hosts = (await this.hosts.all()).filter(({ state }) => state !== 'unreachable');
      for (const host of hosts) await this.supply(host, hosts, stop);
    });
  }

  private async supply(host: Host, hosts: readonly Host[], stop: AbortSignal | undefined): Promise<void> {
    const { manager } = this.dataSource;
    for (const image of await missingImages(manager, host.id, { retryMinutes: RETRY_MINUTES })) {
      if (stop?.aborted) return;
      const sources = await hostsWith(manager, image.id);
      const source = hosts.find(({ id }) => sources.includes(id));
      if (source) await this.bring(image, source, host, stop);
    }
    await this.tellOperator(host);
  }

  private async bring(image: MissingImage, from: Host, to: Host, stop?: AbortSignal): Promise<void> {
    const { manager } = this.dataSource;
    const pair = { imageId: image.id, hostId: to.id };
    await noteRefusal(manager, { ...pair, code: UNDER_WAY, message: '' });
    const path = this.store.spreadPath(image.id);
    const { volumeName, sha256, virtualSizeBytes, devices } = image;
    const file = { volumeName, path, format: 'qcow2', sha256, virtualSizeBytes } as const;
    try {
      await this.hypervisor.downloadImage(toHostRef(from), volumeName, path, { signal: stop });
      await bringImage(this.hypervisor, to, { devices, file });
      await new ImagesService(this.dataSource).recordOnHost(manager, image.id, to.id);
      this.log.info({ ...pair, from: from.name, to: to.name }, 'brought an imported image to a host');
    } catch (error) {
      if (!(error instanceof HypervisorError)) throw error;
      this.log.warn(
        { err: error, ...pair, from: from.name, to: to.name },
        'an imported image was not brought',
      );
      const isAway = error.code === 'host_unreachable' || error.code === 'host_timeout';
      await noteRefusal(manager, {
        ...pair,
        code: isAway ? UNDER_WAY : error.code,
        message: error.message,
      });
    } finally {
      await this.store.removeSpread();
    }
  }

  private async tellOperator(host: Host): Promise<void> {
    const refused = await refusedBy(this.dataSource.manager, host.id);
    const found = refused.map(({ imageId, code, message }) => ({
      kind: 'image_refused' as const,
      hostId: host.id,
      subject: String(imageId),
      details: { code, message },
    }));
    for (const finding of found) {
      if (await this.findings.report(finding)) this.log.warn({ finding }, 'found something for the operator');
    }
    await this.findings.resolveOthers(host.id, ['image_refused'], found);
  }
}
