import type { DataSource } from 'typeorm';
import { type HostRef, type Hypervisor, isHypervisorError, type StorageFacts } from '#libs/hypervisor';
import { newUuid } from '#libs/kernel';
import { type Host, HostsService, toHostRef } from '#libs/placement';

/** A storage is known by a mark in it, of which the newest counts: `storage-<n>-<uuid>`, `n` from 1. */
const STORAGE_MARK = /^storage-(\d{1,9})-([0-9a-f-]{36})$/;

/**
 * Finds out which storage lies behind a host's disk pool, and remembers that with the host. The mark says it; and where it
 * says so of several hosts, it is proven: what one makes there now, another one has to see. So a pool that was copied
 * with its mark is told apart, and gets one of its own. What can be neither proven nor refuted now stays as it is known.
 * @throws HypervisorError of the host itself; others may be away
 */
export async function findStorage(dataSource: DataSource, hypervisor: Hypervisor, host: Host): Promise<void> {
  const hosts = new HostsService(dataSource);
  const ref = toHostRef(host);
  const seen = await hypervisor.inspectStorage(ref);
  const { diskPoolPath, imagePoolPath } = seen;
  for (const left of seen.marks.filter((mark) => mark.startsWith(lookOf(ref)))) {
    await hypervisor.unmarkStorage(ref, left);
  }
  await hosts.recordStorage(host.id, {
    storageId: await provenStorage(hosts, hypervisor, host, seen),
    diskPoolPath: diskPoolPath || null,
    imagePoolPath: imagePoolPath || null,
  });
}

/** Null where nothing is known of it that could be relied on. */
async function provenStorage(
  hosts: HostsService,
  hypervisor: Hypervisor,
  host: Host,
  seen: StorageFacts,
): Promise<string | null> {
  const ref = toHostRef(host);
  const said = newestOf(seen)?.id;
  if (said === undefined) return markAnew(hypervisor, ref, seen);
  const isShared = await provenToShare(hypervisor, ref, await hosts.withStorage(said, host));
  if (isShared === 'no') return markAnew(hypervisor, ref, seen);
  return isShared === 'yes' || said === host.storageId ? said : null;
}

/** Whether a host shows the same storage as others that are said to, by the first of them that answers; `yes` where none are. */
async function provenToShare(
  hypervisor: Hypervisor,
  host: HostRef,
  others: readonly Host[],
): Promise<'yes' | 'no' | 'unknown'> {
  for (const other of others) {
    try {
      return (await seesWhatIsMade(hypervisor, host, toHostRef(other))) ? 'yes' : 'no';
    } catch (error) {
      if (!isHypervisorError(error)) throw error;
    }
  }
  return others.length === 0 ? 'yes' : 'unknown';
}

/**
 * Whether the other host sees a mark that a host makes now. The other one makes one first: a client of network storage looks
 * anew at a folder that it has changed itself.
 */
async function seesWhatIsMade(hypervisor: Hypervisor, host: HostRef, other: HostRef): Promise<boolean> {
  const [made, beside] = [`${lookOf(host)}${newUuid()}`, `${lookOf(other)}${newUuid()}`];
  try {
    await hypervisor.markStorage(host, made);
    await hypervisor.markStorage(other, beside);
    return (await hypervisor.inspectStorage(other)).marks.includes(made);
  } finally {
    await hypervisor.unmarkStorage(host, made);
    await hypervisor.unmarkStorage(other, beside);
  }
}

/** How the marks of a host begin that are there for a moment; one that is left is of a look that was cut off. */
function lookOf({ id }: HostRef): string {
  return `look-${id}-`;
}

/** Gives the storage a mark that is newer than all that are there. @returns its id; null where a full pool takes none */
async function markAnew(hypervisor: Hypervisor, host: HostRef, seen: StorageFacts): Promise<string | null> {
  const id = newUuid();
  try {
    await hypervisor.markStorage(host, `storage-${(newestOf(seen)?.order ?? 0) + 1}-${id}`);
    return id;
  } catch (error) {
    if (isHypervisorError(error, 'pool_full')) return null;
    throw error;
  }
}

function newestOf({ marks }: StorageFacts): { readonly order: number; readonly id: string } | undefined {
  const known = marks.flatMap((mark) => {
    const [, order, id] = STORAGE_MARK.exec(mark) ?? [];
    return id === undefined ? [] : [{ order: Number(order), id }];
  });
  return known.toSorted((a, b) => b.order - a.order || b.id.localeCompare(a.id))[0];
}
