import type { EntityManager } from 'typeorm';

/** Volumes that an export has on its host while it is made; `layer` lies on a golden image. */
export function exportVolumeNames(exportId: number): { readonly flat: string; readonly layer: string } {
  return { flat: `servery-export-${exportId}.qcow2`, layer: `servery-export-${exportId}-layer.qcow2` };
}

/** The export that a volume belongs to by its name; undefined where it is none of an export. */
export function exportIdOfVolume(volumeName: string): number | undefined {
  const [, id] = /^servery-export-(\d{1,16})(?:-layer)?\.qcow2$/.exec(volumeName) ?? [];
  return id === undefined ? undefined : Number(id);
}

/** Of some ids those that are exports of ours, each with whether it is still being made. */
export async function exportsAmong(
  manager: EntityManager,
  ids: readonly number[],
): Promise<ReadonlyMap<number, { readonly isBeingMade: boolean }>> {
  const rows = await manager.query<{ id: number; isBeingMade: boolean }[]>(
    `SELECT id, state = 'creating' AS "isBeingMade" FROM exports WHERE id = ANY($1::bigint[])`,
    [ids],
  );
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}
