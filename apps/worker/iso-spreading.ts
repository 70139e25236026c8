import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { runAlone } from '#libs/database';
import { HYPERVISOR, type Hypervisor, HypervisorError } from '#libs/hypervisor';
import { ImportStore } from '#libs/imports';
import { IsosService, type MissingIso, missingIsos } from '#libs/isos';
import { FindingsService, type Host, HostsService, toHostRef } from '#libs/placement';
import { SPREADING_LOCK } from './image-spreading.ts';

/** For so long after it was added, an ISO image is its operator's to bring. */
const OPERATOR_MINUTES = 15;
const RETRY_MILLISECONDS = 3_600_000;

interface Refusal {
  readonly code: string;
  readonly message: string;
  /** By `performance.now()`. */
  readonly at: number;
}

/** Brings ISO images to hosts that were added later or were away, from hosts that have them. The operator is told which refuse. */
@Injectable()
export class IsoSpreading {
  /** By host and ISO image. A worker that begins anew asks anew. */
  private readonly refusals = new Map<string, Refusal>();

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
    const missing = await missingIsos(manager, host.id, { olderThanMinutes: OPERATOR_MINUTES });
    const refused: { readonly iso: MissingIso; readonly refusal: Refusal }[] = [];
    for (const iso of missing) {
      if (stop?.aborted) return;
      const source = hosts.find(({ id }) => iso.hostIds.includes(id));
      if (source) await this.bringUnlessRefused(iso, source, host, stop);
      const refusal = this.refusals.get(pairOf(iso, host));
      if (refusal) refused.push({ iso, refusal });
    }
    await this.tellOperator(host, refused);
  }

  private async bringUnlessRefused(iso: MissingIso, from: Host, to: Host, stop?: AbortSignal): Promise<void> {
    const pair = pairOf(iso, to);
    const last = this.refusals.get(pair);
    if (last && performance.now() - last.at < RETRY_MILLISECONDS) return;
    this.refusals.delete(pair);
    try {
      await this.bring(iso, from, to, stop);
      this.log.info({ iso: iso.name, from: from.name, to: to.name }, 'brought an ISO image to a host');
    } catch (error) {
      if (!(error instanceof HypervisorError)) throw error;
      this.log.warn({ err: error, iso: iso.name, to: to.name }, 'an ISO image was not brought');
      if (error.code === 'host_unreachable' || error.code === 'host_timeout') return;
      this.refusals.set(pair, { code: error.code, message: error.message, at: performance.now() });
    }
  }

  private async bring(iso: MissingIso, from: Host, to: Host, signal: AbortSignal | undefined): Promise<void> {
    const path = this.store.spreadPath(iso.id);
    const { volumeName, sha256, sizeBytes: virtualSizeBytes } = iso;
    try {
      await this.hypervisor.downloadImage(toHostRef(from), volumeName, path, { signal });
      const file = { volumeName, path, format: 'raw', sha256, virtualSizeBytes } as const;
      await this.hypervisor.importImage(toHostRef(to), file);
      await new IsosService(this.dataSource).recordOnHost(this.dataSource.manager, iso.id, to.id);
    } finally {
      await this.store.removeSpread();
    }
  }

  private async tellOperator(
    { id: hostId }: Host,
    refused: readonly { readonly iso: MissingIso; readonly refusal: Refusal }[],
  ): Promise<void> {
    const found = refused.map(({ iso, refusal: { code, message } }) => ({
      kind: 'iso_refused' as const,
      ...{ hostId, subject: iso.name, details: { code, message } },
    }));
    for (const finding of found) {
      if (await this.findings.report(finding)) this.log.warn({ finding }, 'found something for the operator');
    }
    await this.findings.resolveOthers(hostId, ['iso_refused'], found);
  }
}

function pairOf(iso: MissingIso, host: Host): string {
  return `${host.id}/${iso.id}`;
}
