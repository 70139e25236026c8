import type { EntityManager } from 'typeorm';
import { createDataSource } from '#libs/database';

interface Database {
  readonly superuserUrl: string;
}

/** A transaction of somebody who has every privilege, as the application has not. */
export async function asSuperuser<T>(
  { superuserUrl }: Database,
  act: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const dataSource = await createDataSource(superuserUrl, { poolSize: 1 }).initialize();
  try {
    return await dataSource.transaction(act);
  } finally {
    await dataSource.destroy();
  }
}

/** The same behind the back of all triggers and foreign keys: what the application could never do. */
export function behindTheBack<T>(
  database: Database,
  act: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return asSuperuser(database, async (manager) => {
    await manager.query(`SET LOCAL session_replication_role = 'replica'`);
    return act(manager);
  });
}
