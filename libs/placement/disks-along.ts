import type { EntityManager } from 'typeorm';

/** A disk that comes along to the host of a server. */
export interface AlongDisk {
  /** Where it has its room. */
  readonly hostId: number;
  readonly diskGib: number;
  /** It is used where it lies: on that host, or one of its peers. */
  readonly stays: boolean;
}

/** Which value has the disks that come along; null: there are none, and nothing is asked about them. */
export type Along = '$8' | '$9' | null;

const disksOf = (along: Along) =>
  `jsonb_to_recordset(${along}::jsonb) AS a("hostId" bigint, "diskGib" int, stays boolean)`;

/** Of hosts `h`: reaches all disks that are used where they lie. */
export const reachesAll = (along: Along) =>
  along === null
    ? 'true'
    : `NOT EXISTS (SELECT FROM ${disksOf(along)} WHERE a.stays AND a."hostId" <> h.id AND NOT EXISTS (
         SELECT FROM storage_peers p WHERE p.host_id = a."hostId" AND p.peer_id = h.id))`;

/** Of hosts `h`: the disk that is taken there, in GiB. */
export const diskWith = (along: Along) =>
  along === null
    ? '$7'
    : `($7 + coalesce((SELECT sum(a."diskGib") FROM ${disksOf(along)} WHERE a."hostId" <> h.id), 0)::int)`;

/** Whether some host reaches what is kept on all of these: it is one of them, and a peer of all others. */
export async function areReachedTogether(
  manager: EntityManager,
  hostIds: readonly number[],
): Promise<boolean> {
  const [row] = await manager.query<{ together: boolean }[]>(
    `SELECT EXISTS (SELECT FROM hosts h WHERE NOT EXISTS (SELECT FROM unnest($1::bigint[]) AS k (id)
       WHERE k.id <> h.id AND NOT EXISTS (
         SELECT FROM storage_peers p WHERE p.host_id = k.id AND p.peer_id = h.id))) AS together`,
    [hostIds],
  );
  return row?.together ?? false;
}
