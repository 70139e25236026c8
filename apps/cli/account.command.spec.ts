import { expect, it } from 'vitest';
import { AccountsService, accountsEntities } from '#libs/accounts';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase({ entities: accountsEntities });
const servery = serveryCli(() => ({ DATABASE_URL: database.url }));
const email = 'anna@example.com';

it('servery account suspends for a reason and lifts that one alone, with a mail and an entry each', async () => {
  await new AccountsService(database.dataSource).signUp({ email, password: 'correct horse battery' });
  expect(await servery('account', 'show', email)).toContain('Nothing stands');
  const note = ['--note', 'Port 25 sends spam'];
  expect(await servery('account', 'suspend', email, '--reason', 'abuse', ...note)).toContain(
    'Port 25 sends spam',
  );
  await servery('account', 'suspend', email, '--reason', 'abuse');
  const both = await servery('account', 'suspend', email, '--reason', 'operator');
  expect(both.trimEnd().split('\n')).toHaveLength(2);
  expect(await servery('account', 'resume', email, '--reason', 'abuse')).toMatch(/suspended for operator/);
  expect(await servery('account', 'resume', email, '--reason', 'operator')).toContain('Nothing stands');
  const mails = await database.dataSource.query('SELECT template FROM mails ORDER BY created_at');
  expect(mails.map(({ template }: { template: string }) => template)).toEqual([
    'account-suspended',
    'account-suspended',
    'account-restored',
  ]);
  const audited = (await servery('audit')).trimEnd().split('\n');
  expect(audited).toHaveLength(4);
  expect(audited[3]).toMatch(/account\.suspend .* reason="abuse" {2}note="Port 25 sends spam"$/);
});

it('servery account says what is wrong', async () => {
  const billing = servery('account', 'suspend', email, '--reason', 'billing');
  await expect(billing).rejects.toThrow('Allowed choices are abuse, operator');
  await expect(servery('account', 'show', 'nobody@example.com')).rejects.toThrow('no account of nobody');
});
