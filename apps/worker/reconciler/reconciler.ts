import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { runAlone } from '#libs/database';
import { findStorage } from '#libs/fleet';
import { HYPERVISOR, type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { ACCESS_PUBLISHER, type AccessPublisher } from '#libs/networks';
import { FindingsService, type Host, HostsService, type NewFinding, toHostRef } from '#libs/placement';
import { eachHost } from '../each-host.ts';
import type { HostWorld } from './host-world.ts';
import { reconcileAttachments } from './reconcile-attachments.ts';
import { reconcileBookkeeping } from './reconcile-bookkeeping.ts';
import { reconcileDomains, startWhatWentDown } from './reconcile-domains.ts';
import { reconcileImages } from './reconcile-images.ts';
import { reconcileLayers } from './reconcile-layers.ts';
import { reconcileVolumes } from './reconcile-volumes.ts';
import { republishAccess } from './republish-access.ts';

/** Any constant: it names this work among PostgreSQL's advisory locks. */
const LOCK = 7_305_183_640;

const HOST_FINDINGS = [
  'orphan_domain',
  'foreign_domain',
  'orphan_volume',
  'volume_misplaced',
  'volume_missing',
  'domain_missing',
  'disk_adopted',
  'host_unreachable',
] as const;
/** A host that refuses us, or lacks a pool, would let each order fail that is placed on it. */
const KEEPS_FROM_USE = ['host_unreachable', 'host_timeout', 'host_misconfigured'] as const;
const OWN_FINDINGS = ['orphan_address', 'orphan_reservation', 'stuck_saga'] as const;

/**
 * Compares the fleet with the database. What a server of ours left behind is removed; all else that has no owner is
 * only reported; what the owner sees is brought to what the host says. Servers with a running action are left to their workflow.
 * Which hosts show one storage is found out anew.
 */
@Injectable()
export class Reconciler {
  /** Asked for once by each worker: asking is waiting for a guest. */
  private readonly heldSeeds = new Set<string>();

  constructor(
    private readonly dataSource: DataSource,
    @Inject(HYPERVISOR) private readonly hypervisor: Hypervisor,
    @Inject(ACCESS_PUBLISHER) private readonly access: AccessPublisher,
    private readonly hosts: HostsService,
    private readonly findings: FindingsService,
    private readonly log: PinoLogger,
  ) {}

  /** One round over all hosts, or as far as it comes until told to stop. Nothing while another worker is at it. */
  async run(stop?: AbortSignal): Promise<void> {
    await runAlone(this.dataSource, LOCK, async () => {
      await eachHost(await this.hosts.existing(), stop, (host) => this.reconcileHost(host));
      if (stop?.aborted) return;
      const found = await reconcileBookkeeping(this.dataSource);
      await this.report(found);
      await this.findings.resolveOthers(null, OWN_FINDINGS, found);
    });
  }

  private async reconcileHost(host: Host): Promise<void> {
    const found: NewFinding[] = [];
    const { dataSource, hypervisor, heldSeeds } = this;
    const world = { dataSource, hypervisor, heldSeeds, host, ref: toHostRef(host), wentDown: [] };
    try {
      for await (const finding of reconcileDomains(world)) found.push(finding);
      await this.bringBack(world);
      for (const look of [reconcileAttachments, reconcileVolumes]) {
        for await (const finding of look(world)) found.push(finding);
      }
      await findStorage(this.dataSource, this.hypervisor, host);
      await this.hosts.recordSeen(host.id);
      await this.report(found);
      await this.findings.resolveOthers(host.id, HOST_FINDINGS, found);
      await republishAccess(this.dataSource, this.access, host);
      // Last: what cannot be merged or removed keeps none of the above from being done.
      await reconcileLayers(world);
      await reconcileImages(world);
    } catch (error) {
      await this.report(found);
      await this.notReconciled(host, error);
    }
  }

  /** Once the host has what servers need: a pool may come later than libvirt. */
  private async bringBack(world: HostWorld): Promise<void> {
    if (world.wentDown.length === 0 || !(await this.hasWhatServersNeed(world.host))) return;
    const servers = await startWhatWentDown(world);
    if (servers > 0)
      this.log.warn(
        { host: world.host.name, servers },
        'servers that went down with their host are switched on',
      );
  }

  /** What was not looked at is neither found nor gone: open findings of the host stay as they are. */
  private async notReconciled(host: Host, error: unknown): Promise<void> {
    if (!isHypervisorError(error, ...KEEPS_FROM_USE)) {
      this.log.error({ err: error, host: host.name }, 'the host could not be reconciled');
      if (host.state === 'unreachable' && (await this.hasWhatServersNeed(host))) await this.returnToUse(host);
      return;
    }
    await this.hosts.recordUnreachable(host.id);
    const details = { message: error.message };
    await this.report([{ kind: 'host_unreachable', hostId: host.id, subject: host.name, details }]);
  }

  /** Whether it answers, and has pools and bridge. */
  private async hasWhatServersNeed(host: Host): Promise<boolean> {
    try {
      await this.hypervisor.inspectHost(toHostRef(host));
      return true;
    } catch (error) {
      if (isHypervisorError(error)) return false;
      throw error;
    }
  }

  /** What cannot be mended on a host that is back keeps no new servers from it. */
  private async returnToUse(host: Host): Promise<void> {
    await this.hosts.recordSeen(host.id);
    await this.findings.resolveOthers(host.id, ['host_unreachable'], []);
  }

  private async report(found: readonly NewFinding[]): Promise<void> {
    for (const finding of found) {
      if (await this.findings.report(finding)) this.log.warn({ finding }, 'found something for the operator');
    }
  }
}
