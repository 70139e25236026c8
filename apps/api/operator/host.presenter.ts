import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CatalogService, type Location } from '#libs/catalog';
import type { FindingWire, HostWire } from '#libs/contracts';
import type { Finding, Host } from '#libs/placement';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

@Injectable()
export class HostPresenter {
  constructor(
    private readonly catalog: CatalogService,
    private readonly dataSource: DataSource,
  ) {}

  async presentOne(host: Host): Promise<HostWire> {
    const [presented] = await this.present([host]);
    if (!presented) throw new Error('one host in, one host out');
    return presented;
  }

  async present(hosts: readonly Host[]): Promise<HostWire[]> {
    const [locations, servers] = await Promise.all([this.catalog.locations(), this.serversByHost()]);
    return hosts.map((host) => {
      const location = locations.items.find(({ id }) => id === host.locationId);
      if (!location) throw new Error(`host ${host.id} is in an unknown location`);
      return presentHost(host, location, servers.get(host.id) ?? 0);
    });
  }

  private async serversByHost(): Promise<ReadonlyMap<number, number>> {
    const rows: { host_id: number; count: number }[] = await this.dataSource.query(
      'SELECT host_id, count(*) AS count FROM reservations GROUP BY host_id',
    );
    return new Map(rows.map((row) => [row.host_id, row.count]));
  }
}

function presentHost(host: Host, location: Location, servers: number): HostWire {
  return {
    id: host.id,
    name: host.name,
    uri: host.uri,
    location: { id: location.id, name: location.name },
    state: host.state,
    domain_type: host.domainType,
    domain_type_reason: host.domainTypeReason,
    vcpus: { total: host.vcpus, used: host.usedVcpus },
    memory_mib: { total: host.memoryMib, used: host.usedMemoryMib },
    disk_gib: { total: host.diskGib, used: host.usedDiskGib },
    servers,
    last_seen: wireTimeOrNull(host.lastSeenAt),
    created: wireTime(host.createdAt),
  };
}

export function presentFinding(finding: Finding, hosts: readonly Host[]): FindingWire {
  const host = hosts.find(({ id }) => id === finding.hostId);
  return {
    id: finding.id,
    kind: finding.kind,
    host: host ? { id: host.id, name: host.name } : null,
    subject: finding.subject,
    details: finding.details,
    first_seen: wireTime(finding.firstSeenAt),
    last_seen: wireTime(finding.lastSeenAt),
    resolved: wireTimeOrNull(finding.resolvedAt),
  };
}
