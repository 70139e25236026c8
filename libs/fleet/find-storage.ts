import type { DataSource } from 'typeorm';
import { type HostRef, type Hypervisor, isHypervisorError, type StorageFacts } from '#libs/hypervisor';
import { newUuid } from '#libs/kernel';
import { type Host, type HostStorage, HostsService, toHostRef } from '#libs/placement';

/** A storage is known by a mark in it, of which the newest counts: `storage-<n>-<uuid>`, `n` from 1. */
const STORAGE_MARK = /^storage-(\d{1,9})-([0-9a-f-]{36})$/;

/** A host that shows something else is noticed by its paths, by its marks, or by having been away; a silent change by then. */
const PROOF_HOLDS_MS = 3_600_000;

/**
 * Finds out which storage lies behind a host's disk pool, and remembers that with the host. The mark says it; and where it
 * says so of several hosts, it is proven: what one makes there now, another one has to see. So a pool that was copied
 * with its mark is told apart, and gets one of its own. What can be neither proven nor refuted now stays as it is known.
 * While nothing is seen to have changed, a proof holds for an hour.
 * @throws HypervisorError `host_unreachable`, `host_timeout` of the host itself; others may be away
 */
export async function findStorage(dataSource: DataSource, hypervisor: Hypervisor, host: Host): Promise<void> {
  const hosts = new HostsService(dataSource);
  const ref = toHostRef(host);
  const seen = await hypervisor.inspectStorage(ref);
  for (const left of seen.marks.filter((mark) => mark.startsWith(lookOf(ref)))) {
    await ifItCan(hypervisor.unmarkStorage(ref, left));
  }
  if (isAsProven(host, seen)) return;
  const { diskPoolPath, imagePoolPath } = seen;
  await hosts.recordStorage(host.id, {
    ...(await provenStorage(hosts, hypervisor, host, seen)),
    diskPoolPath: diskPoolPath || null,
    imagePoolPath: imagePoolPath || null,
  });
}

/** Whether it is known which storage a host shows, and it looks as it did when that was proven. */
function isAsProven({ storageProvenAt: at, ...host }: Host, seen: StorageFacts): boolean {
  return (
    at !== null &&
    Date.now() - at.getTime() < PROOF_HOLDS_MS &&
    newestOf(seen)?.id === host.storageId &&
    seen.diskPoolPath === (host.diskPoolPath ?? '') &&
    seen.imagePoolPath === (host.imagePoolPath ?? '')
  );
}

type Proven = Pick<HostStorage, 'storageId' | 'storageProvenAt'>;

/** Without an id where nothing is known of it that could be relied on. */
async function provenStorage(
  hosts: HostsService,
  hypervisor: Hypervisor,
  host: Host,
  seen: StorageFacts,
): Promise<Proven> {
  const ref = toHostRef(host);
  const said = newestOf(seen)?.id;
  const isShared = said && (await provenToShare(hypervisor, ref, await hosts.withStorage(said, host)));
  if (said === undefined || isShared === 'no') return provenNow(await markAnew(hypervisor, ref, seen));
  if (isShared === 'yes') return provenNow(said);
  return { storageId: said === host.storageId ? said : null, storageProvenAt: null };
}

function provenNow(storageId: string | null): Proven {
  return { storageId, storageProvenAt: storageId === null ? null : new Date() };
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

/** Gives the storage a mark that is newer than all that are there. @returns its id; null where the pool takes none */
async function markAnew(hypervisor: Hypervisor, host: HostRef, seen: StorageFacts): Promise<string | null> {
  const id = newUuid();
  const mark = `storage-${(newestOf(seen)?.order ?? 0) + 1}-${id}`;
  return (await ifItCan(hypervisor.markStorage(host, mark))) ? id : null;
}

/** False where the host refuses: what else is to be seen of it does not wait for a pool that is full, or takes no marks. */
async function ifItCan(call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isHypervisorError(error) && !isHypervisorError(error, 'host_unreachable', 'host_timeout'))
      return false;
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
