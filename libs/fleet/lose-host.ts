import type { DataSource, EntityManager } from 'typeorm';
import { type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { DomainError } from '#libs/kernel';
import { queueMailToHolder } from '#libs/mail';
import { holdStrayAddresses } from '#libs/networks';
import { type Host, HostsService, markLost, type PlacementErrorCode, toHostRef } from '#libs/placement';

/** What its owner loses with a host. */
export interface Loss {
  readonly kind: 'server' | 'volume' | 'snapshot' | 'backup';
  readonly id: number;
  readonly name: string;
  readonly accountId: number;
  readonly email: string;
}

/** Of images `i` those that lie on the host `$1` alone. */
export const IMAGE_IS_THERE_ALONE = `i.project_id IS NOT NULL AND i.deleted_at IS NULL AND CASE
  WHEN i.frozen_disk_id IS NULL
  THEN EXISTS (SELECT FROM host_images x WHERE x.image_id = i.id AND x.host_id = $1)
       AND NOT EXISTS (SELECT FROM host_images x JOIN hosts h ON h.id = x.host_id
                       WHERE x.image_id = i.id AND h.id <> $1 AND h.state <> 'lost')
  ELSE EXISTS (SELECT FROM frozen_disks f WHERE f.id = i.frozen_disk_id AND f.host_id = $1) END`;

/** What is being deleted already is no loss. */
const LOSSES = `
  SELECT l.*, a.email FROM (
    SELECT 1 AS place, 'server' AS kind, s.id, s.name, s.account_id AS "accountId" FROM servers s
    WHERE s.host_id = $1 AND s.deleted_at IS NULL AND s.desired <> 'deleted'
    UNION ALL
    SELECT 2, 'volume', v.id, v.name, v.account_id FROM volumes v WHERE v.host_id = $1 AND v.deleted_at IS NULL
    UNION ALL
    SELECT 3, i.type, i.id, coalesce(i.description, i.name), p.account_id
    FROM images i JOIN projects p ON p.id = i.project_id WHERE ${IMAGE_IS_THERE_ALONE}) AS l
  JOIN accounts a ON a.id = l."accountId" ORDER BY a.email, l.place, l.name, l.id`;

/** What is elsewhere of an account's servers and images `$2`. */
const KEPT = `
  SELECT 'export of ' || source_name || ', until ' || to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS name
  FROM exports WHERE account_id = $1 AND state = 'available' AND deleted_at IS NULL AND expires_at > now()
    AND (server_id = ANY($2) OR image_id = ANY($2))
  UNION ALL
  SELECT 'snapshot ' || coalesce(i.description, i.name) FROM images i
  WHERE i.server_id = ANY($2) AND i.type = 'snapshot' AND i.status = 'available' AND i.deleted_at IS NULL
    AND NOT i.id = ANY($2)
  ORDER BY 1`;

export function lossesOn(manager: EntityManager, { id }: Pick<Host, 'id'>): Promise<Loss[]> {
  return manager.query(LOSSES, [id]);
}

/**
 * @returns since when the host has not answered
 * @throws DomainError `host_not_lost` where it may come back, or what is on it is reached from others
 */
export async function assertGone(dataSource: DataSource, hypervisor: Hypervisor, host: Host): Promise<Date> {
  const { id, name } = host;
  const peers = (await new HostsService(dataSource).peers()).get(id);
  if (peers) {
    throw notLost(
      `the disk pool of ${name} is one with that of ${peers.join(', ')}: what lies there is not lost; ` +
        `add a machine with its host UUID in its place, as ${name}`,
    );
  }
  if (await answers(hypervisor, host)) {
    throw notLost(
      `${name} answers. Where its disks are gone, switch it off for good first; else drain it: servery host drain ${name}`,
    );
  }
  const [found] = await dataSource.query<{ since: Date }[]>(
    `SELECT first_seen_at AS since FROM findings
     WHERE kind = 'host_unreachable' AND host_id = $1 AND resolved_at IS NULL`,
    [id],
  );
  if (found) return found.since;
  throw notLost(
    `the worker has not found ${name} unreachable: let it run, and see the finding host_unreachable first`,
  );
}

/**
 * Says for good that a host is gone, and writes to those who lose something; `LostHosts` does the rest. False where that
 * was so already.
 */
export async function loseHost(manager: EntityManager, host: Host): Promise<boolean> {
  if (!(await markLost(manager, host.id))) return false;
  await holdStrayAddresses(manager, host.id, []);
  const byAccount = Map.groupBy(await lossesOn(manager, host), ({ accountId }) => accountId);
  for (const [accountId, losses] of byAccount) await mailOwner(manager, host, accountId, losses);
  return true;
}

/** One that lacks a pool, or refuses us, answers: its servers may be running. */
async function answers(hypervisor: Hypervisor, host: Host): Promise<boolean> {
  try {
    await hypervisor.inspectHost(toHostRef(host));
    return true;
  } catch (error) {
    if (!isHypervisorError(error)) throw error;
    return !isHypervisorError(error, 'host_unreachable', 'host_timeout');
  }
}

async function mailOwner(
  manager: EntityManager,
  { id }: Host,
  accountId: number,
  losses: readonly Loss[],
): Promise<void> {
  const named = (...kinds: Loss['kind'][]) =>
    losses.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const kept = await manager.query<{ name: string }[]>(KEPT, [accountId, losses.map((loss) => loss.id)]);
  await queueMailToHolder(manager, {
    cause: `host ${id} lost, account ${accountId}`,
    accountId,
    template: 'host-lost',
    data: {
      servers: named('server'),
      volumes: named('volume'),
      images: named('snapshot', 'backup'),
      kept: kept.map(({ name }) => name),
    },
  });
}

function notLost(message: string): DomainError {
  return new DomainError('conflict', 'host_not_lost' satisfies PlacementErrorCode, message);
}
