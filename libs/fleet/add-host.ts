import type { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { HostFacts, HostRef, Hypervisor } from '#libs/hypervisor';
import { BYTES_PER_GIB, DomainError } from '#libs/kernel';
import { type Host, HostsService } from '#libs/placement';
import { findStorage } from './find-storage.ts';

/** A host as its operator adds it. What is missing is taken from what the host says of itself. */
export interface HostToAdd {
  readonly name: string;
  readonly uri: string;
  readonly locationId: number;
  readonly imagePool: string;
  readonly diskPool: string;
  readonly bridge: string;
  /** Memory that servers may have, in MiB; nine tenths of the host's when missing. */
  readonly memoryMib?: number;
  /** Virtual CPUs promised per real one, 1 to 16; 4 when missing. */
  readonly overcommit?: number;
  /** Disk that servers may have, in GiB; what the pool has in all when missing. */
  readonly diskGib?: number;
}

const DEFAULT_OVERCOMMIT = 4;
/** The rest is the host's own, and QEMU's. */
const DEFAULT_MEMORY_SHARE = 0.9;

/**
 * Adds a host after looking at it: it must answer, have its pools and bridge, a probe guest decides between KVM
 * and emulation, and whether other hosts show the same storage is found out. Adding it again renews what is known of it.
 * @throws HypervisorError when it cannot be used; DomainError `host_invalid`, `host_exists`
 */
export async function addHost(
  dataSource: DataSource,
  hypervisor: Hypervisor,
  request: HostToAdd,
): Promise<Host> {
  const probe: HostRef = { ...request, id: 0, domainType: 'qemu' };
  const facts = await hypervisor.inspectHost(probe);
  if (facts.architecture !== 'x86_64') {
    throw new DomainError(
      'invalid_input',
      'host_invalid',
      `${request.name} is ${facts.architecture}; images are x86_64`,
    );
  }
  const acceleration = await hypervisor.probeAcceleration(probe);
  const { name, uri, locationId, imagePool, diskPool, bridge } = request;
  const hosts = new HostsService(dataSource);
  const host = await runInTransaction(dataSource, (manager) =>
    hosts.save(manager, {
      name,
      uri,
      locationId,
      imagePool,
      diskPool,
      bridge,
      hostUuid: facts.hostUuid,
      domainType: acceleration.domainType,
      domainTypeReason: acceleration.reason,
      ...capacityOf(facts, request),
    }),
  );
  await findStorage(dataSource, hypervisor, host);
  return hosts.get(host.id);
}

function capacityOf(facts: HostFacts, request: HostToAdd) {
  const overcommit = request.overcommit ?? DEFAULT_OVERCOMMIT;
  return {
    vcpus: Math.floor(facts.vcpus * overcommit),
    memoryMib: request.memoryMib ?? Math.floor(facts.memoryMib * DEFAULT_MEMORY_SHARE),
    diskGib: request.diskGib ?? Math.floor(facts.diskPool.capacityBytes / BYTES_PER_GIB),
  };
}
