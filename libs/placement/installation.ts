import type { DataSource } from 'typeorm';

/** The mark that this installation leaves on what it makes on hosts: a UUID, made with the database. */
export async function installationId(dataSource: DataSource): Promise<string> {
  const [row] = await dataSource.query<{ id: string }[]>(`SELECT id FROM installation`);
  if (!row) throw new Error('the table "installation" is empty: restore the database or migrate a new one');
  return row.id;
}
