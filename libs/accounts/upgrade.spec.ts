import { expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { MailedLinks1760000641000 } from '../../migrations/1760000641000-mailed-links.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase();

it('counts the accounts that are there already as confirmed, and new ones as not', async () => {
  const runner = database.dataSource.createQueryRunner();
  const links = new MailedLinks1760000641000();
  const signUp = (email: string) =>
    runner.query(
      `INSERT INTO accounts (id, email, password_hash, name, max_servers, max_vcpus, max_memory_mib)
       VALUES ($1, $2, '', '', 1, 1, 1)`,
      [newId(), email],
    );
  await links.down(runner);
  await signUp('before@example.org');
  await links.up(runner);
  await signUp('after@example.org');
  const rows = await runner.query(
    'SELECT email, email_confirmed_at IS NOT NULL AS "isConfirmed" FROM accounts ORDER BY email',
  );
  await runner.release();
  expect(rows).toEqual([
    { email: 'after@example.org', isConfirmed: false },
    { email: 'before@example.org', isConfirmed: true },
  ]);
});
