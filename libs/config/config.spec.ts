import { describe, expect, it } from 'vitest';
import { DomainError } from '#libs/kernel';
import { envExample } from './env-example.ts';
import { loadEnvironment, secretKeys, variableDocs } from './index.ts';

const complete = {
  DATABASE_URL: 'postgres://servery:secret@127.0.0.1:5432/servery',
  REDIS_URL: 'redis://127.0.0.1:6379/0',
  SERVERY_URL: 'http://127.0.0.1:8080/',
  SERVERY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
  STRIPE_SECRET_KEY: 'sk_test_abc',
  STRIPE_WEBHOOK_SECRET: 'whsec_abc',
};

function problemsOf(variables: Record<string, string | undefined>): string[] {
  try {
    loadEnvironment(variables);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'config_invalid') {
      return error.fields.map((field) => field.name);
    }
    throw error;
  }
  return [];
}

describe('the environment', () => {
  it('is parsed into numbers, flags and a URL with no slash at its end', () => {
    const environment = loadEnvironment({ ...complete, SERVERY_PORT: '9000', SERVERY_TRUST_PROXY: 'yes' });
    expect(environment).toMatchObject({
      SERVERY_PORT: 9000,
      SERVERY_TRUST_PROXY: 1,
      SERVERY_URL: 'http://127.0.0.1:8080',
      SERVERY_LEASE_SECONDS: 30,
    });
  });

  it('names every variable that is missing, and takes an empty one for missing', () => {
    expect(problemsOf({ REDIS_URL: '' }).sort()).toEqual(Object.keys(complete).sort());
  });

  it.each([
    ['DATABASE_URL', 'mysql://x'],
    ['SERVERY_PORT', '70000'],
    ['SERVERY_SECRET_KEY', Buffer.alloc(31).toString('base64')],
    [
      'SERVERY_FORMER_SECRET_KEYS',
      `${Buffer.alloc(32).toString('base64')},${Buffer.alloc(31).toString('base64')}`,
    ],
    ['STRIPE_SECRET_KEY', 'pk_test_abc'],
    ['SERVERY_CURRENCY', 'xyz'],
    ['SERVERY_TRUST_PROXY', '-1'],
    ['SERVERY_TRUST_PROXY', 'maybe'],
    ['SERVERY_LEASE_SECONDS', '0'],
    ['MAIL_FROM', 'Servery'],
    ['MAIL_FROM', 'Servery <servery@example.org>\r\nBcc: a@example.org'],
  ])('refuses %s=%s by name', (name, value) => {
    expect(problemsOf({ ...complete, [name]: value })).toEqual([name]);
  });

  it('has former secret keys behind the present one, or none', () => {
    const keys = [7, 1, 2].map((byte) => Buffer.alloc(32, byte));
    const former = keys.slice(1).map((key) => key.toString('base64'));
    const of = (SERVERY_FORMER_SECRET_KEYS: string) =>
      secretKeys(loadEnvironment({ ...complete, SERVERY_FORMER_SECRET_KEYS }));
    expect(of(former.join(', '))).toEqual(keys);
    expect(of('')).toEqual(keys.slice(0, 1));
  });

  it('knows a mail server with its sender, or none', () => {
    const SMTP_URL = 'smtps://servery:secret@mail.example.org:465';
    expect(problemsOf({ ...complete, SMTP_URL })).toEqual(['MAIL_FROM']);
    for (const MAIL_FROM of ['servery@example.org', 'Servery <servery@example.org>']) {
      expect(problemsOf({ ...complete, SMTP_URL, MAIL_FROM })).toEqual([]);
    }
    expect(problemsOf({ ...complete, SERVERY_REQUIRE_CONFIRMED_EMAIL: 'yes' })).toEqual(['SMTP_URL']);
    expect(problemsOf({ ...complete, SMTP_URL: 'https://mail.example.org' })).toEqual(['SMTP_URL']);
  });

  it('never repeats a value: it may be a secret', () => {
    const secret = 'sk_wrong_topsecret';
    expect(() => loadEnvironment({ ...complete, STRIPE_SECRET_KEY: secret })).toThrowError(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });

  it('refuses the Stripe emulator and plain http in production', () => {
    const production = { ...complete, NODE_ENV: 'production', STRIPE_API_HOST: '127.0.0.1' };
    expect(problemsOf(production).sort()).toEqual(['SERVERY_URL', 'STRIPE_API_HOST']);
  });

  it.each([
    ['http://servers.example.org', ['SERVERY_URL']],
    ['http://192.168.1.10:8080', ['SERVERY_URL']],
    ['http://localhost.example.org', ['SERVERY_URL']],
    ['http://127.0.0.1.example.org', ['SERVERY_URL']],
    ['https://servers.example.org', []],
    ['http://127.8.0.1:8080', []],
    ['http://localhost:8080', []],
    ['http://[::1]:8080', []],
  ])('lets browsers keep the session cookie, which %s decides', (url, problems) => {
    expect(problemsOf({ ...complete, SERVERY_URL: url })).toEqual(problems);
  });

  it('says what to do where plain http would drop the session cookie', () => {
    expect(() => loadEnvironment({ ...complete, SERVERY_URL: 'http://servers.example.org' })).toThrow(
      /SERVERY_URL: .*nobody can sign in: put a reverse proxy with a certificate in front/,
    );
  });

  it('is documented, variable by variable, in .env.example', async () => {
    expect(variableDocs().filter((doc) => doc.description === '')).toEqual([]);
    await expect(envExample()).toMatchFileSnapshot('../../.env.example');
  });
});
