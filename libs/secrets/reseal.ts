import type { DataSource } from 'typeorm';
import type { EnvelopeCipher } from './envelope-cipher.ts';
import { SecretsError } from './secrets.errors.ts';

/** A column of bytes that a feature seals; null and nothing at all are nothing sealed. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The columns that a row is known by. */
  readonly key: readonly string[];
  /** What binds a sealed value to its row, by the values of `key`. */
  contextOf(...key: readonly string[]): string;
}

export interface Resealed {
  readonly count: number;
  /** Rows that no key opens, by the values of their key. */
  readonly unreadable: readonly string[];
}

/**
 * Seals what stands in a column under the current key, row by row, and leaves alone what is. Others may write to the
 * rows meanwhile; cut off, it goes on where it was.
 *
 * @param onRow is told of each row how many are behind it, and of how many
 */
export async function reseal(
  dataSource: DataSource,
  cipher: EnvelopeCipher,
  { table, column, key, contextOf }: SealedColumn,
  onRow: (done: number, total: number) => void = () => {},
): Promise<Resealed> {
  const rows = await dataSource.query<{ key: string[] }[]>(
    `SELECT ARRAY[${key.map((name) => `${name}::text`).join(', ')}] AS key FROM ${table}
     WHERE ${column} <> '' AND substring(${column} FROM 2 FOR ${cipher.currentKeyId.length}) <> $1 ORDER BY 1`,
    [cipher.currentKeyId],
  );
  const isRow = key.map((name, index) => `${name} = $${index + 1}`).join(' AND ');
  const unreadable: string[] = [];
  let count = 0;
  for (const [index, row] of rows.entries()) {
    const [found] = await dataSource.query<{ sealed: Buffer }[]>(
      `SELECT ${column} AS sealed FROM ${table} WHERE ${isRow} AND ${column} <> ''`,
      row.key,
    );
    const anew = found && sealedAnew(cipher, found.sealed, contextOf(...row.key));
    if (anew) {
      const values = [...row.key, found.sealed, anew];
      const [, affected] = await dataSource.query<[unknown, number]>(
        `UPDATE ${table} SET ${column} = $${values.length} WHERE ${isRow} AND ${column} = $${values.length - 1}`,
        values,
      );
      count += affected;
    } else if (found) unreadable.push(row.key.join('/'));
    onRow(index + 1, rows.length);
  }
  return { count, unreadable };
}

/** Undefined where no key opens it. */
function sealedAnew(cipher: EnvelopeCipher, sealed: Buffer, context: string): Buffer | undefined {
  try {
    return cipher.seal(cipher.open(sealed, context), context);
  } catch (error) {
    if (error instanceof SecretsError) return undefined;
    throw error;
  }
}
