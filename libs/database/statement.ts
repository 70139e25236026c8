import type { ClientBase } from 'pg';
import type { DataSource, EntityManager, EntityMetadata } from 'typeorm';

/**
 * A statement of a hot path. PostgreSQL parses and plans its text once per connection and remembers it for as long as
 * that lives, so texts are constants and all that varies is in `values`.
 */
export interface Statement<Row = unknown> {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Never there: it tells the type of the rows. */
  readonly row?: Row;
}

/** The rows of each of some statements. */
export type RowsOf<S extends readonly Statement[]> = {
  -readonly [I in keyof S]: S[I] extends Statement<infer Row> ? Row[] : never;
};

/** Runs a prepared statement, within the manager's transaction if it has one, and returns its rows. */
export async function runStatement<Row>(manager: EntityManager, statement: Statement<Row>): Promise<Row[]> {
  const [rows] = await runStatements(manager, [statement]);
  return rows;
}

/**
 * Sends prepared statements at once, and PostgreSQL runs them one after another, each seeing what those before it did
 * and what was committed until then: as if each were awaited, in one round trip. After one that fails, those behind
 * it fail as well when the manager is in a transaction.
 *
 * @throws the error of the first one that failed
 */
export async function runStatements<const S extends readonly Statement[]>(
  manager: EntityManager,
  statements: S,
): Promise<RowsOf<S>> {
  const runner = manager.queryRunner ?? manager.dataSource.createQueryRunner();
  try {
    const client: ClientBase = await runner.connect();
    const results = await Promise.all(statements.map(({ text, values }) => client.query(text, [...values])));
    return results.map(({ rows }) => rows) as RowsOf<S>;
  } finally {
    if (runner !== manager.queryRunner) await runner.release();
  }
}

/** The insert of a row that has a value for every column of its entity. */
export function insertOf<E extends object>(
  { dataSource }: Pick<EntityManager, 'dataSource'>,
  entity: new () => E,
  row: E,
): Statement {
  const metadata = dataSource.getMetadata(entity);
  const { driver } = dataSource;
  return {
    text: insertText(dataSource, metadata),
    values: metadata.columns.map((column) =>
      driver.preparePersistentValue(column.getEntityValue(row), column),
    ),
  };
}

const insertTexts = new WeakMap<EntityMetadata, string>();

function insertText({ driver }: DataSource, metadata: EntityMetadata): string {
  const known = insertTexts.get(metadata);
  if (known !== undefined) return known;
  const columns = metadata.columns.map(({ databaseName }) => driver.escape(databaseName));
  const places = columns.map((_, index) => `$${index + 1}`);
  const text = `INSERT INTO ${driver.escape(metadata.tableName)} (${columns.join(', ')}) VALUES (${places.join(', ')})`;
  insertTexts.set(metadata, text);
  return text;
}
