import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { queueMail } from './index.ts';

const database = testDatabase();
const mail = {
  cause: 'password 1 changed',
  to: 'anna@example.org',
  template: 'password-changed',
  data: { at: '2026-11-22 10:00 UTC' },
} as const;

const causes = async () =>
  (await database.dataSource.query<{ cause: string }[]>('SELECT cause FROM mails')).map(({ cause }) => cause);

describe('the outbox', () => {
  it('takes a mail when its transaction commits, and once for each cause', async () => {
    const { manager } = database.dataSource;
    const abandoned = manager.transaction(async (transaction) => {
      await queueMail(transaction, mail);
      throw new Error('rolled back');
    });
    await expect(abandoned).rejects.toThrow('rolled back');
    expect(await causes()).toEqual([]);
    const asked = await Promise.all([1, 2, 3].map(() => queueMail(manager, mail)));
    expect(asked.filter((isNew) => isNew)).toHaveLength(1);
    expect(await causes()).toEqual([mail.cause]);
  });

  it.each([
    'anna@example.org\r\nBcc: victim@example.org',
    'anna@example.org\n',
    'anna@example.org, victim@example.org',
    'Anna <anna@example.org>',
    '"anna b"@example.org',
    'anna@example.org>\r\nRCPT TO:<victim@example.org',
    'anna',
    `${'a'.repeat(250)}@example.org`,
  ])('refuses what is not one plain address: %j', async (to) => {
    await expect(queueMail(database.dataSource.manager, { ...mail, cause: to, to })).rejects.toMatchObject({
      code: 'recipient_invalid',
    });
    expect(await causes()).toEqual([mail.cause]);
  });
});
