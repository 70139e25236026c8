import type { DataSource } from 'typeorm';
import { afterAll, beforeAll } from 'vitest';
import { createDataSource, type DatabaseOptions } from '#libs/database';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

/** Gives a spec file a fresh, migrated database of its own, dropped at the end. */
export function testDatabase(options: DatabaseOptions = {}): {
  readonly dataSource: DataSource;
  readonly url: string;
  readonly superuserUrl: string;
} {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await createDataSource(database.url, options).initialize();
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });
  return {
    get dataSource() {
      return dataSource;
    },
    get url() {
      return database.url;
    },
    get superuserUrl() {
      return database.superuserUrl;
    },
  };
}
