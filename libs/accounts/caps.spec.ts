import { expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { MOST } from './caps.ts';
import {
  AccountsService,
  ApiTokensService,
  accountsEntities,
  generateSshKeyPair,
  ProjectsService,
  SshKeysService,
} from './index.ts';

const database = testDatabase({ entities: accountsEntities });

it('an account has so many projects, and each of them so many keys and tokens, and no more', async () => {
  const { dataSource } = database;
  const { account } = await new AccountsService(dataSource).signUp({
    email: 'a@example.com',
    password: 'a long password',
  });
  const [accountId, id] = [account.id, newId()];
  await dataSource.query('DELETE FROM projects');
  const projects = new ProjectsService(dataSource);
  const { id: projectId } = await projects.create(accountId, { id, name: 'first' });
  const token = { access: 'read', seesMoney: false, name: 'mine' } as const;
  const key = () => ({
    id: newId(),
    name: `${newId()}`,
    publicKey: generateSshKeyPair().publicKey,
    labels: {},
  });
  const tokens = new ApiTokensService(dataSource);
  const keys = new SshKeysService(dataSource);
  const made = await tokens.create(projectId, { id: newId(), ...token });

  await dataSource.query(
    `INSERT INTO projects (id, account_id, name) SELECT n, $1, 'p' || n FROM generate_series(2, $2::int) n`,
    [accountId, MOST.projects],
  );
  await dataSource.query(
    `INSERT INTO api_tokens (id, project_id, name, token_hash, access, last4, sees_money)
     SELECT n, $1, 'n', decode(md5(n::text) || md5(n::text), 'hex'), 'read', 'last', false FROM generate_series(2, $2::int) n`,
    [projectId, MOST.apiTokens],
  );
  await dataSource.query(
    `INSERT INTO ssh_keys (id, project_id, name, fingerprint, public_key, labels)
     SELECT n, $1, 'n' || n, 'f' || n, 'k', '{}' FROM generate_series(1, $2::int) n`,
    [projectId, MOST.sshKeys],
  );
  const refused = { kind: 'limit', code: 'too_many' };
  await expect(projects.create(accountId, { id: newId(), name: 'more' })).rejects.toMatchObject(refused);
  await expect(tokens.create(projectId, { id: newId(), ...token })).rejects.toMatchObject(refused);
  await expect(keys.create(projectId, key())).rejects.toMatchObject(refused);
  // What is repeated after a lost answer is there, and no more.
  expect((await projects.create(accountId, { id, name: 'first' })).id).toBe(projectId);
  expect((await tokens.create(projectId, { id: made.apiToken.id, ...token })).apiToken.id).toBe(
    made.apiToken.id,
  );

  await tokens.revoke(projectId, made.apiToken.id);
  await keys.delete(projectId, 1);
  await tokens.create(projectId, { id: newId(), ...token });
  await keys.create(projectId, key());
});
