import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { HYPERVISOR, type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { ACCESS_PUBLISHER, type AccessPublisher } from '#libs/networks';
import { FindingsService, type Host, HostsService, type NewFinding, toHostRef } from '#libs/placement';
import { reconcileBookkeeping } from './reconcile-bookkeeping.ts';
import { reconcileDomains } from './reconcile-domains.ts';
import { reconcileVolumes } from './reconcile-volumes.ts';
import { republishAccess } from './republish-access.ts';

/** Any constant: it names this work among PostgreSQL's advisory locks. */
const LOCK = 7_305_183_640;

const HOST_FINDINGS = [
  'orphan_domain',
  'foreign_domain',
  'orphan_volume',
  'domain_missing',
  'host_unreachable',
] as const;
const OWN_FINDINGS = ['orphan_address', 'orphan_reservation', 'stuck_saga'] as const;

/**
 * Compares the fleet with the database. What is ours and has no row is removed; what is not ours is only reported;
 * what the owner sees is brought to what the host says. Servers with a running action are left to their workflow.
 */
@Injectable()
export class Reconciler {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(HYPERVISOR) private readonly hypervisor: Hypervisor,
    @Inject(ACCESS_PUBLISHER) private readonly access: AccessPublisher,
    private readonly hosts: HostsService,
    private readonly findings: FindingsService,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts. Does nothing while another worker is at it. */
  async run(): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const [lock] = (await runner.query('SELECT pg_try_advisory_lock($1) AS taken', [LOCK])) as {
        taken: boolean;
      }[];
      if (!lock?.taken) return;
      try {
        for (const host of await this.hosts.all()) await this.reconcileHost(host);
        const found = await reconcileBookkeeping(this.dataSource);
        await this.report(null, OWN_FINDINGS, found);
      } finally {
        await runner.query('SELECT pg_advisory_unlock($1)', [LOCK]);
      }
    } finally {
      await runner.release();
    }
  }

  private async reconcileHost(host: Host): Promise<void> {
    const found: NewFinding[] = [];
    const world = { dataSource: this.dataSource, hypervisor: this.hypervisor, host, ref: toHostRef(host) };
    try {
      found.push(...(await reconcileDomains(world)), ...(await reconcileVolumes(world)));
      await this.hosts.recordSeen(host.id);
      await republishAccess(this.dataSource, this.access, host);
    } catch (error) {
      if (!isHypervisorError(error, 'host_unreachable', 'host_timeout')) {
        this.log.error({ err: error, host: host.name }, 'the host could not be reconciled');
        return;
      }
      await this.hosts.recordUnreachable(host.id);
      const details = { message: error.message };
      found.push({ kind: 'host_unreachable', hostId: host.id, subject: host.name, details });
    }
    await this.report(host.id, HOST_FINDINGS, found);
  }

  private async report(
    hostId: number | null,
    kinds: readonly NewFinding['kind'][],
    found: readonly NewFinding[],
  ): Promise<void> {
    for (const finding of found) {
      if (await this.findings.report(finding)) this.log.warn({ finding }, 'found something for the operator');
    }
    await this.findings.resolveOthers(hostId, kinds, found);
  }
}
