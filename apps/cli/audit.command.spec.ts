import { beforeAll, describe, expect, it } from 'vitest';
import { AccountsService, AuditService, accountsEntities } from '#libs/accounts';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase({ entities: accountsEntities });
const servery = serveryCli(() => ({ DATABASE_URL: database.url }));

beforeAll(async () => {
  const accounts = new AccountsService(database.dataSource);
  const audit = new AuditService(database.dataSource);
  for (const [name, subjectId] of [
    ['anna', 42],
    ['bert', 43],
  ] as const) {
    const email = `${name}@example.com`;
    const { account } = await accounts.signUp({ email, password: 'correct horse battery' });
    const actor = { accountId: account.id, actorKind: 'token', actorId: 7, ip: '192.0.2.1' } as const;
    await audit.record({ ...actor, action: 'server.create', subjectKind: 'server', subjectId });
    await audit.record({ ...actor, action: 'server.poweroff', subjectKind: 'server', subjectId });
  }
});

const lines = async (...args: string[]) =>
  (await servery('audit', ...args))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/).slice(1));

describe('servery audit', () => {
  it('prints who did what to what, from where, the newest first', async () => {
    const found = await lines();
    expect(found).toHaveLength(4);
    expect(found[0]).toEqual(['server.poweroff', 'server 43', 'bert@example.com', 'token 7', '192.0.2.1']);
  });

  it('can be asked for one account, one thing and so many entries', async () => {
    const anna = await lines('--account', 'ANNA@example.com', '--subject', 'server:42');
    expect(anna.map(([action, subject]) => `${action} ${subject}`)).toEqual([
      'server.poweroff server 42',
      'server.create server 42',
    ]);
    expect(await lines('--limit', '1')).toHaveLength(1);
    expect(await servery('audit', '--subject', 'server:44')).toBe('There is no such entry.\n');
  });

  it('says what is wrong with an option', async () => {
    await expect(servery('audit', '--subject', 'web')).rejects.toThrow('must be a kind and an id');
    await expect(servery('audit', '--limit', 'all')).rejects.toThrow('--limit');
  });
});
