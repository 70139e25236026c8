import type { EntityManager } from 'typeorm';
import { closeServer, openImage } from '#libs/billing';
import type { Image } from '#libs/images';
import { bytesToWholeGib } from '#libs/kernel';
import { BACKUP_SLOTS } from './backup-plan.ts';
import { diskVolumeName, type Server } from './server.entity.ts';

/** An image that is to be made of a server's disk. */
export interface NewServerImage {
  readonly id: number;
  readonly type: 'snapshot' | 'backup';
  readonly madeBy: NonNullable<Image['madeBy']>;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** With what the guest holds in memory, which must run. */
  readonly withMemory?: boolean;
}

/** The row of an image that is being made: with what it inherits from the image that its server is like. */
export async function insertImage(
  manager: EntityManager,
  server: Server,
  { id, type, madeBy, description, labels }: NewServerImage,
): Promise<void> {
  await manager.query(
    `INSERT INTO images (id, name, type, volume_name, file_size_bytes, virtual_size_bytes, appliance, package_count,
                         project_id, server_id, server_name, status, description, labels, made_by, devices, verification)
     SELECT $1::bigint, $8 || '-' || $1::bigint, $8, $2, 0, s.disk_gib * 1024::bigint * 1024 * 1024,
            jsonb_set(i.appliance, '{minimumDiskGib}', to_jsonb(s.disk_gib)), i.package_count,
            $3, $4, $5, 'creating', $6, $7, $9, $10, i.verification
     FROM servers s JOIN images i ON i.id = coalesce(s.upgraded_to, s.image_id) WHERE s.id = $4`,
    [
      id,
      diskVolumeName(server),
      server.projectId,
      server.id,
      server.name,
      description ?? server.name,
      JSON.stringify(labels),
      type,
      madeBy,
      JSON.stringify(server.devices),
    ],
  );
}

/**
 * An image of a server is billed from now on, by itself, for it may outlive its server; as what it was until now it is
 * billed no more. What a roll back left behind costs nothing while it expires.
 */
export async function billImage(manager: EntityManager, imageId: number): Promise<void> {
  const [row] = await manager.query<BilledImage[]>(
    `SELECT i.type, i.project_id AS "projectId", i.server_name AS "ofServer", i.file_size_bytes AS "sizeBytes",
            s.account_id AS "accountId", b.currency
     FROM images i JOIN servers s ON s.id = i.server_id JOIN billing_accounts b USING (account_id) WHERE i.id = $1`,
    [imageId],
  );
  if (!row) return;
  const { type, ofServer, sizeBytes, ...of } = row;
  await closeServer(manager, imageId);
  const serverName = `${type === 'backup' ? 'Backup' : 'Snapshot'} of ${ofServer}`;
  await openImage(
    manager,
    { ...of, serverId: imageId, serverName },
    type,
    Math.max(1, bytesToWholeGib(sizeBytes)),
  );
}

interface BilledImage {
  readonly type: 'snapshot' | 'backup';
  readonly projectId: number;
  readonly ofServer: string;
  readonly sizeBytes: number;
  readonly accountId: number;
  readonly currency: string;
}

/** Deletes images of servers, whose billing ends; what others stand on stays on its host for as long as they do. */
export async function deleteImages(manager: EntityManager, ids: readonly number[]): Promise<void> {
  for (const id of ids) await closeServer(manager, id);
  // What was imported is whole on hosts, and goes from each when nothing stands on it.
  await manager.query(
    `DELETE FROM host_images h USING images i
     WHERE i.id = h.image_id AND i.id = ANY($1) AND i.frozen_disk_id IS NOT NULL`,
    [ids],
  );
  await manager.query('UPDATE images SET deleted_at = coalesce(deleted_at, now()) WHERE id = ANY($1)', [ids]);
}

/**
 * Deletes all images of accounts whose arrears have come to the purge, protected ones too: nobody pays for them any
 * more. What is still being made is left to the next call. @returns how many
 */
export async function deletePurgedImages(manager: EntityManager): Promise<number> {
  const rows = await manager.query<{ id: number }[]>(
    `SELECT i.id FROM images i JOIN projects p ON p.id = i.project_id
     JOIN arrears a ON a.account_id = p.account_id AND a.closed_at IS NULL AND a.step = 'purge'
     WHERE i.deleted_at IS NULL AND i.status <> 'creating' ORDER BY i.id FOR UPDATE OF i SKIP LOCKED`,
  );
  await deleteImages(
    manager,
    rows.map(({ id }) => id),
  );
  return rows.length;
}

/** Of a server's backups the newest `keep` stay. */
export async function deleteBackups(
  manager: EntityManager,
  serverId: number,
  { keep }: { readonly keep: number },
): Promise<void> {
  const rows = await manager.query<{ id: number }[]>(
    `SELECT id FROM images WHERE server_id = $1 AND type = 'backup' AND status = 'available' AND deleted_at IS NULL
     ORDER BY created_at DESC, id DESC OFFSET $2 FOR UPDATE`,
    [serverId, keep],
  );
  await deleteImages(
    manager,
    rows.map(({ id }) => id),
  );
}

/** A backup that was made takes the slot of its server's oldest, where all that its plan has are taken. */
export async function rotateBackups(manager: EntityManager, imageId: number): Promise<void> {
  const [made] = await manager.query<{ serverId: number; keep: number | null }[]>(
    `SELECT i.server_id AS "serverId", p.keep FROM images i LEFT JOIN backup_plans p USING (server_id)
     WHERE i.id = $1 AND i.type = 'backup'`,
    [imageId],
  );
  if (made) await deleteBackups(manager, made.serverId, { keep: made.keep ?? BACKUP_SLOTS });
}
