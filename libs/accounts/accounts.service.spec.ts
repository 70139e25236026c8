import { expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { accountsEntities } from './accounts.module.ts';
import { AccountsService } from './accounts.service.ts';
import { SessionsService } from './sessions.service.ts';

const database = testDatabase({ entities: accountsEntities });

it('ends the sessions of a customer who becomes an operator', async () => {
  const accounts = new AccountsService(database.dataSource);
  const sessions = new SessionsService(database.dataSource);
  const email = 'operator@example.com';
  const { account } = await accounts.signUp({ email, password: 'a squatter’s password' });
  const token = await sessions.open(account);
  expect(await sessions.authenticate(token)).toMatchObject({ role: 'customer' });

  await accounts.createOperator({ email: 'Operator@example.com', password: 'the operator’s own' });
  expect(await sessions.authenticate(token)).toBeUndefined();
  await expect(accounts.authenticate(email, 'a squatter’s password')).rejects.toMatchObject({
    code: 'wrong_credentials',
  });
  expect(await accounts.authenticate(email, 'the operator’s own')).toMatchObject({ role: 'operator' });
});
