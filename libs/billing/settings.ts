import type { EntityManager } from 'typeorm';

/** Whether CPU and RAM of a stopped server are billed: the operator's choice. */
export async function stoppedComputeIsBilled(manager: EntityManager): Promise<boolean> {
  const [row] = await manager.query<{ billed: boolean }[]>(
    'SELECT stopped_compute_billed AS billed FROM billing_settings',
  );
  return row?.billed ?? false;
}
