import { expect, it } from 'vitest';
import { type Environment, secretKeys } from '#libs/config';
import { EnvelopeCipher } from '#libs/secrets';
import { testDatabase } from '../../../test/support/test-database.ts';
import { IdempotencyStore, isClaim } from './idempotency.store.ts';

const database = testDatabase();
const [present, former] = [2, 1].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];
const request = { scope: 'token 1', key: 'k', content: 'POST /v1/servers {}' };

function store(SERVERY_SECRET_KEY: string, SERVERY_FORMER_SECRET_KEYS: string[] = []): IdempotencyStore {
  const environment = { SERVERY_SECRET_KEY, SERVERY_FORMER_SECRET_KEYS } as Environment;
  return new IdempotencyStore(database.dataSource, new EnvelopeCipher(secretKeys(environment)), environment);
}

it('a request that is repeated after a change of the secret key goes on as the same one, and is answered as before', async () => {
  const asked = await store(former).claimOrAnswer(request);
  if (!isClaim(asked)) throw new Error('nobody asked before');
  await store(former).release(asked);
  const again = await store(present, [former]).claimOrAnswer(request);
  if (!isClaim(again)) throw new Error('nobody has answered');
  expect(again.resourceId).toBe(asked.resourceId);

  const other = { ...request, key: 'other' };
  const claim = await store(former).claimOrAnswer(other);
  if (!isClaim(claim)) throw new Error('nobody asked before');
  const answer = { body: { server: 7 }, setCookie: null };
  await store(former).keep(claim, answer);
  expect(await store(present, [former]).claimOrAnswer(other)).toEqual(answer);
  for (const refused of [
    store(present).claimOrAnswer(other),
    store(present, [former]).claimOrAnswer({ ...other, content: 'POST /v1/servers {"a":1}' }),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'idempotency_conflict' });
  }
});
