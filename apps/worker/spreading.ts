import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { runAlone } from '#libs/database';
import { HYPERVISOR, type Hypervisor } from '#libs/hypervisor';
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
      const hosts = (await this.hosts.all()).filter(({ state }) => state !== 'unreachable');
      for (const host of hosts) await supply(host, hosts);
    });
  }

  /** Fetches an image from a host that has it, and hands its path here to `take`. @throws as `downloadImage`, and `take` */
  async fetch(
    image: { readonly id: number; readonly volumeName: string },
    from: Host,
    take: (path: string) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const path = this.store.spreadPath(image.id);
    try {
      await this.hypervisor.downloadImage(toHostRef(from), image.volumeName, path, { signal });
      await take(path);
    } finally {
      await this.store.removeSpread();
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
