import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { EnvelopeCipher } from './envelope-cipher.ts';
import { adoptKey, claimInstallation } from './installation-key.ts';

const database = testDatabase();
const [first, second] = [randomBytes(32), randomBytes(32)];
const claim = (...keys: [Buffer, ...Buffer[]]) =>
  claimInstallation(database.dataSource, new EnvelopeCipher(keys));

beforeEach(() => database.dataSource.query('UPDATE installation SET secret_key_id = NULL'));

describe('a program that starts', () => {
  it('with another key than those before it is refused, and changes nothing', async () => {
    await claim(first);
    await expect(claim(second)).rejects.toMatchObject({ code: 'foreign_secret_key' });
    await claim(first);
  });

  it('with a new key that knows the former one brings it in, and the former alone is refused then', async () => {
    await claim(first);
    await claim(second, first);
    await expect(claim(first)).rejects.toMatchObject({ code: 'foreign_secret_key' });
    await claim(second);
    await claim(first, second);
  });

  it('with a key of its own beside others that start with theirs has it alone', async () => {
    const keys = Array.from({ length: 6 }, () => randomBytes(32));
    const claims = await Promise.allSettled(keys.map((key) => claim(key)));
    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is let in once the key before it is given up', async () => {
    await claim(first);
    await adoptKey(database.dataSource, new EnvelopeCipher([second]));
    await claim(second);
    await expect(claim(first)).rejects.toMatchObject({ code: 'foreign_secret_key' });
  });
});
