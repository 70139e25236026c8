import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
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
import type { Host } from '#libs/placement';
import { Spreading } from './spreading.ts';

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
    private readonly spreading: Spreading,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts, or as far as it comes until told to stop. Nothing while another worker is at it. */
  async run(stop?: AbortSignal): Promise<void> {
    await this.spreading.round((host, hosts) => this.supply(host, hosts, stop));
  }

  private async supply(host: Host, hosts: readonly Host[], stop: AbortSignal | undefined): Promise<void> {
    const { manager } = this.dataSource;
    for (const image of await missingImages(manager, host.id, { retryMinutes: RETRY_MINUTES })) {
      if (stop?.aborted) return;
      const having = await hostsWith(manager, image.id);
      const sources = hosts.filter(({ id }) => having.includes(id));
      if (sources.length > 0) await this.bring(image, sources, host, stop);
    }
    await this.tellOperator(host);
  }

  private async bring(
    image: MissingImage,
    sources: readonly Host[],
    to: Host,
    stop?: AbortSignal,
  ): Promise<void> {
    const { manager } = this.dataSource;
    const pair = { imageId: image.id, hostId: to.id };
    await noteRefusal(manager, { ...pair, code: UNDER_WAY, message: '' });
    const { volumeName, sha256, virtualSizeBytes, devices } = image;
    const take = async (path: string) => {
      const file = { volumeName, path, format: 'qcow2', sha256, virtualSizeBytes } as const;
      await bringImage(this.hypervisor, to, { devices, file });
      await new ImagesService(this.dataSource).recordOnHost(manager, image.id, to.id);
    };
    try {
      const from = await this.spreading.fetch(image, sources, take, stop);
      this.log.info({ ...pair, from: from.name, to: to.name }, 'brought an imported image to a host');
    } catch (error) {
      if (!(error instanceof HypervisorError)) throw error;
      this.log.warn({ err: error, ...pair, to: to.name }, 'an imported image was not brought');
      const isAway = error.code === 'host_unreachable' || error.code === 'host_timeout';
      await noteRefusal(manager, {
        ...pair,
        code: isAway ? UNDER_WAY : error.code,
        message: error.message,
      });
    }
  }

  private async tellOperator(host: Host): Promise<void> {
    const refused = await refusedBy(this.dataSource.manager, host.id);
    const told = refused.map(({ imageId, code, message }) => ({ subject: String(imageId), code, message }));
    await this.spreading.tellRefused('image_refused', host, told);
  }
}
