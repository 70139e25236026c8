import { describe, expect, it } from 'vitest';
import { accountsEntities, liftSuspension, suspendAccount } from '#libs/accounts';
import { type Arrears, DUNNING_STEPS, ensureBooks } from '#libs/billing';
import { newId } from '#libs/kernel';
import { type MailTemplate, templates } from '#libs/mail';
import { testDatabase } from '../../test/support/test-database.ts';
import { mailRestored, mailStep, mailSuspended } from './dunning-mails.ts';

const database = testDatabase({ entities: accountsEntities });
const since = new Date('2030-01-01T10:00:00Z');
const context = {
  siteUrl: 'https://servery.example',
  open: () => {
    throw new Error('a mail of dunning holds no secret');
  },
};

async function debtor(email = `${newId()}@example.test`): Promise<Arrears> {
  const { manager } = database.dataSource;
  const [accountId, id] = [newId(), newId()];
  await manager.query(
    `INSERT INTO accounts (id, email, password_hash, name, max_servers, max_vcpus, max_memory_mib)
     VALUES ($1, $2, 'none', 'Ada', 5, 8, 16384)`,
    [accountId, email],
  );
  await ensureBooks(manager, accountId, 'eur', since);
  await manager.query('INSERT INTO arrears (id, account_id, since, is_hard) VALUES ($1, $2, $3, false)', [
    id,
    accountId,
    since,
  ]);
  return { id, accountId, since, isHard: false, retryAt: null, step: null, nextAt: null, closedAt: null };
}

/** What was queued for an account, as it is sent, in order. */
async function lettersTo(accountId: number): Promise<{ subject: string; text: string }[]> {
  const mails = await database.dataSource.query<{ template: MailTemplate; data: never }[]>(
    'SELECT template, data FROM mails WHERE account_id = $1 ORDER BY created_at, id',
    [accountId],
  );
  return mails.map(({ template, data }) => templates[template](data, context));
}

describe('the mails of the ladder', () => {
  it('tell at each step, once, what happens next and when', async () => {
    const { manager } = database.dataSource;
    const arrears = await debtor();
    for (const step of DUNNING_STEPS) {
      await mailStep(manager, { ...arrears, step });
      await mailStep(manager, { ...arrears, step });
    }
    const letters = await lettersTo(arrears.accountId);
    expect(letters).toHaveLength(DUNNING_STEPS.length);
    const [unpaid, first, last, suspended, hidden, deleted] = letters.map(({ text }) => text);
    for (const text of [unpaid, first, last]) expect(text).toContain('2030-01-08');
    expect(unpaid).toContain('EUR 0.00');
    expect(suspended).toContain('2030-01-22');
    expect(hidden).toContain('2030-01-29');
    expect(deleted).toContain('for good');
    expect(new Set(letters.map(({ subject }) => subject)).size).toBe(letters.length);
    for (const { text } of letters) expect(text).toContain('https://servery.example/billing');
  });

  it('tell of a later day where a late worker has moved the next step', async () => {
    const arrears = await debtor();
    const nextAt = new Date('2030-02-01T00:00:00Z');
    await mailStep(database.dataSource.manager, { ...arrears, step: 'last_warning', nextAt });
    expect((await lettersTo(arrears.accountId))[0]?.text).toContain('2030-02-01');
  });

  it('tell why an account is suspended in the words of its operator, and when it is free', async () => {
    const { manager } = database.dataSource;
    const { accountId } = await debtor();
    const suspended = { accountId, reason: 'abuse' as const, at: since };
    const begun = await suspendAccount(manager, { ...suspended, note: 'Port 25 <sends> spam' });
    if (!begun) throw new Error('it stood before');
    expect(await suspendAccount(manager, suspended)).toBeUndefined();
    await mailSuspended(manager, accountId, begun);
    const lifted = await liftSuspension(manager, suspended);
    if (!lifted) throw new Error('it did not stand');
    await mailRestored(manager, accountId, lifted, false);
    const texts = (await lettersTo(accountId)).map(({ text }) => text);
    expect(texts).toEqual([
      expect.stringContaining('Port 25 <sends> spam'),
      expect.stringContaining('put back as it was'),
    ]);
  });

  it('keep nobody on the ladder whose address no server takes', async () => {
    const arrears = await debtor('"odd address"@example.test');
    await mailStep(database.dataSource.manager, { ...arrears, step: 'unpaid' });
    expect(await lettersTo(arrears.accountId)).toEqual([]);
  });
});
