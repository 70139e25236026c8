import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { runAlone } from '#libs/database';
import { HYPERVISOR, type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { systemClock } from '#libs/kernel';
import { recordSamples, thinSamples } from '#libs/metrics';
import { type Host, HostsService, toHostRef } from '#libs/placement';
import { eachHost } from './each-host.ts';

/** Any constant: it names this work among PostgreSQL's advisory locks. */
const LOCK = 7_305_183_642;

/** Asks hosts what their servers use, and keeps that: each host in one call, however many servers it has. */
@Injectable()
export class Sampling {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(HYPERVISOR) private readonly hypervisor: Hypervisor,
    private readonly hosts: HostsService,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts, or as far as it comes until told to stop. Nothing while another worker is at it. */
  async run(stop?: AbortSignal): Promise<void> {
    await runAlone(this.dataSource, LOCK, async () => {
      const hosts = (await this.hosts.existing()).filter(({ state }) => state !== 'unreachable');
      await eachHost(hosts, stop, (host) => this.sample(host));
    });
  }

  /** Merges what has become old, and forgets what is too old. */
  thin(): Promise<void> {
    const now = Math.floor(systemClock.now().getTime() / 1000);
    return this.dataSource.transaction((manager) => thinSamples(manager, now));
  }

  /** A host that does not answer is told of by who looks after hosts; it leaves a gap. */
  private async sample(host: Host): Promise<void> {
    try {
      const used = await this.hypervisor.sampleDomains(toHostRef(host));
      await recordSamples(this.dataSource.manager, host.id, used, systemClock.now().getTime());
    } catch (error) {
      if (!isHypervisorError(error)) throw error;
      this.log.warn({ err: error, host: host.name }, 'what the servers of a host use was not seen');
    }
  }
}
