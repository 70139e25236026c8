import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { runAlone } from '#libs/database';
import { HYPERVISOR, type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { ImportStore } from '#libs/imports';
import { FindingsService, type Host, HostsService, type NewFinding, toHostRef } from '#libs/placement';

/** Any constant: it names this work among PostgreSQL's advisory locks. */
const LOCK = 7_305_183_641;

/** What a host did not take, and why. */
export interface Refused {
  readonly subject: string;
  readonly code: string;
  readonly message: string;
}

/** How files of whichever kind come from host to host: through a folder of this machine, which one worker has at a time. */
@Injectable()
export class Spreading {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(HYPERVISOR) private readonly hypervisor: Hypervisor,
    private readonly hosts: HostsService,
    private readonly findings: FindingsService,
    private readonly store: ImportStore,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts that answer. Nothing while another worker is at one. */
  async round(supply: (host: Host, hosts: readonly Host[]) => Promise<void>): Promise<void> {
    await runAlone(this.dataSource, LOCK, async () => {
      await this.store.removeSpread();
      const hosts = (await this.hosts.existing()).filter(({ state }) => state !== 'unreachable');
      for (const host of hosts) await supply(host, hosts);
    });
  }

  /**
   * Fetches an image from the first of the hosts that gives it, and hands its path here to `take`.
   * @returns that host @throws as `downloadImage` of the last one, and `take`
   */
  async fetch(
    image: { readonly id: number; readonly volumeName: string },
    sources: readonly Host[],
    take: (path: string) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<Host> {
    const path = this.store.spreadPath(image.id);
    try {
      const source = await this.download(image.volumeName, sources, path, signal);
      await take(path);
      return source;
    } finally {
      await this.store.removeSpread();
    }
  }

  /** One that is drained is not said to be unreachable, and may be so. */
  private async download(
    volumeName: string,
    [source, ...others]: readonly Host[],
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<Host> {
    if (!source) throw new Error(`no host has ${volumeName}`);
    try {
      await this.hypervisor.downloadImage(toHostRef(source), volumeName, path, { signal });
      return source;
    } catch (error) {
      if (others.length === 0 || signal?.aborted || !isHypervisorError(error)) throw error;
      await this.store.removeSpread();
      return this.download(volumeName, others, path, signal);
    }
  }

  /** Tells the operator all that a host refuses now, and no more what it did before. */
  async tellRefused(
    kind: 'image_refused' | 'iso_refused',
    { id: hostId }: Host,
    refused: readonly Refused[],
  ): Promise<void> {
    const found = refused.map(({ subject, ...details }): NewFinding => ({ kind, hostId, subject, details }));
    for (const finding of found) {
      if (await this.findings.report(finding)) this.log.warn({ finding }, 'found something for the operator');
    }
    await this.findings.resolveOthers(hostId, [kind], found);
  }
}
