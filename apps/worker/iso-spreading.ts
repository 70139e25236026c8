import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { HYPERVISOR, type Hypervisor, HypervisorError } from '#libs/hypervisor';
import { IsosService, type MissingIso, missingIsos } from '#libs/isos';
import { type Host, toHostRef } from '#libs/placement';
import { type Refused, Spreading } from './spreading.ts';

/** For so long after it was added, an ISO image is its operator's to bring. */
const OPERATOR_MINUTES = 15;
const RETRY_MILLISECONDS = 3_600_000;

interface Refusal extends Refused {
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
    private readonly spreading: Spreading,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts, or as far as it comes until told to stop. Nothing while another worker is at it. */
  async run(stop?: AbortSignal): Promise<void> {
    await this.spreading.round((host, hosts) => this.supply(host, hosts, stop));
  }

  private async supply(host: Host, hosts: readonly Host[], stop: AbortSignal | undefined): Promise<void> {
    const { manager } = this.dataSource;
    const refused: Refused[] = [];
    for (const iso of await missingIsos(manager, host.id, { olderThanMinutes: OPERATOR_MINUTES })) {
      if (stop?.aborted) return;
      const sources = hosts.filter(({ id }) => iso.hostIds.includes(id));
      if (sources.length > 0) await this.bringUnlessRefused(iso, sources, host, stop);
      const refusal = this.refusals.get(pairOf(iso, host));
      if (refusal) refused.push({ subject: iso.name, code: refusal.code, message: refusal.message });
    }
    await this.spreading.tellRefused('iso_refused', host, refused);
  }

  private async bringUnlessRefused(
    iso: MissingIso,
    sources: readonly Host[],
    to: Host,
    stop?: AbortSignal,
  ): Promise<void> {
    const pair = pairOf(iso, to);
    const last = this.refusals.get(pair);
    if (last && performance.now() - last.at < RETRY_MILLISECONDS) return;
    this.refusals.delete(pair);
    try {
      const from = await this.spreading.fetch(iso, sources, (path) => this.take(iso, to, path), stop);
      this.log.info({ iso: iso.name, from: from.name, to: to.name }, 'brought an ISO image to a host');
    } catch (error) {
      if (!(error instanceof HypervisorError)) throw error;
      this.log.warn({ err: error, iso: iso.name, to: to.name }, 'an ISO image was not brought');
      if (error.code === 'host_unreachable' || error.code === 'host_timeout') return;
      const { code, message } = error;
      this.refusals.set(pair, { subject: iso.name, code, message, at: performance.now() });
    }
  }

  private async take(iso: MissingIso, to: Host, path: string): Promise<void> {
    const { volumeName, sha256, sizeBytes: virtualSizeBytes } = iso;
    const file = { volumeName, path, format: 'raw', sha256, virtualSizeBytes } as const;
    await this.hypervisor.importImage(toHostRef(to), file);
    await new IsosService(this.dataSource).recordOnHost(this.dataSource.manager, iso.id, to.id);
  }
}

function pairOf(iso: MissingIso, host: Host): string {
  return `${host.id}/${iso.id}`;
}
