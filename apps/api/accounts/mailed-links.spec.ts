import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditService } from '#libs/accounts';
import { MailSender, openText } from '#libs/mail';
import { type MailSink, type SunkMail, startMailSink } from '#libs/mail/sink';
import { smtpCarrier } from '#libs/mail/smtp';
import { EnvelopeCipher } from '#libs/secrets';
import { newTenant, stockMarketplace } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';
import { confirmationLimit, resetForEmailLimit } from '../rate-limit/limits.ts';

const api = testApi(undefined, {
  SMTP_URL: 'smtp://127.0.0.1:1',
  MAIL_FROM: 'servery@example.org',
  SERVERY_REQUIRE_CONFIRMED_EMAIL: 'yes',
});
const password = 'a long enough password';
const newPassword = 'another long enough one';
let sink: MailSink;
let people = 0;

beforeAll(async () => {
  sink = await startMailSink({ smtpPort: 0, httpPort: 0 });
  await stockMarketplace(api.current);
});
afterAll(() => sink.close());

interface Person {
  readonly email: string;
  readonly accountId: number;
  readonly cookie: string;
}
let person: Person;

/** Each test has a person of its own, who has just signed up. */
beforeEach(async () => {
  people += 1;
  const email = `Person${people}@example.com`;
  const answer = await post('/v1/accounts', { email, password });
  person = { email, accountId: answer.json().account.id, cookie: cookieOf(answer.headers) };
});

const post = (path: string, body?: unknown, cookie?: string) =>
  api.current.request('POST', path, {
    ...(body === undefined ? {} : { body }),
    ...(cookie === undefined ? {} : { cookie }),
  });
const cookieOf = (headers: Record<string, unknown>) => String(headers['set-cookie']).split(';', 1)[0] ?? '';
const reasonOf = (answer: { json(): { error: { details: { reason: string } } } }) =>
  answer.json().error.details.reason;
const signIn = (word: string) => post('/v1/sessions', { email: person.email, password: word });
const isSignedIn = async (cookie: string) =>
  (await api.current.request('GET', '/v1/account', { cookie })).statusCode === 200;

/** Has the outbox sent, as the worker does, and returns what the person was sent about this, the newest first. */
async function mailed(subject: string): Promise<SunkMail[]> {
  const cipher = api.current.get<EnvelopeCipher>(EnvelopeCipher);
  const context = {
    siteUrl: 'http://127.0.0.1:8080',
    open: (secret: Parameters<typeof openText>[1]) => openText(cipher, secret),
  };
  const carrier = smtpCarrier({ url: sink.smtpUrl, from: 'Servery <servery@example.org>' });
  await new MailSender(api.current.dataSource, carrier, context).sendDue();
  return sink.mails().filter((mail) => mail.subject === subject && mail.recipients.includes(person.email));
}

function tokenIn(mail: SunkMail | undefined, page: string): string {
  const link = new RegExp(`http://127.0.0.1:8080/${page}#(\\w{64})$`, 'm').exec(mail?.text ?? '');
  if (!link?.[1]) throw new Error(`no link to ${page} in: ${mail?.text}`);
  return link[1];
}

async function confirmationToken(): Promise<string> {
  return tokenIn((await mailed('Confirm your e-mail address'))[0], 'confirm-email');
}

async function resetToken(): Promise<string> {
  await post('/v1/password_resets', { email: person.email });
  return tokenIn((await mailed('Set a new password'))[0], 'reset-password');
}

const confirm = (token: string) => post('/v1/email_confirmations/actions/complete', { token });
const reset = (token: string, word = newPassword) =>
  post('/v1/password_resets/actions/complete', { token, password: word });

const age = (seconds: number) =>
  api.current.dataSource.query(
    `UPDATE mailed_links SET expires_at = expires_at - make_interval(secs => $1) WHERE account_id = $2`,
    [seconds, person.accountId],
  );

async function audited(): Promise<string[]> {
  const entries = await api.current.get<AuditService>(AuditService).list({ email: person.email, limit: 50 });
  return entries.map(({ action }) => action);
}

describe('an address', () => {
  it('is confirmed by the link in the mail that signing up sends, once', async () => {
    expect((await mailed('Confirm your e-mail address')).length).toBe(1);
    const token = await confirmationToken();
    const account = async () =>
      (await api.current.request('GET', '/v1/account', { cookie: person.cookie })).json().account;
    expect((await account()).email_confirmed).toBe(false);
    const answer = await confirm(token);
    expect(answer.json()).toEqual({ account: { id: person.accountId, email: person.email } });
    expect((await account()).email_confirmed).toBe(true);
    expect(await audited()).toContain('account.confirm_email');
    expect((await confirm(token)).statusCode).toBe(410);
  });

  it('is not confirmed by a link that is too old, was made up, or is for something else', async () => {
    const token = await confirmationToken();
    const forReset = await resetToken();
    for (const wrong of ['x'.repeat(64), forReset]) {
      const answer = await confirm(wrong);
      expect(answer.json().error.code).toBe('gone');
      expect(reasonOf(answer)).toBe('link_gone');
    }
    expect((await confirm('x')).statusCode).toBe(422);
    await age(24 * 3600 + 1);
    expect((await confirm(token)).statusCode).toBe(410);
  });

  it('is sent another mail when its owner asks, a few times an hour, until it is confirmed', async () => {
    const again = () => post('/v1/email_confirmations', undefined, person.cookie);
    const first = await confirmationToken();
    expect((await again()).statusCode).toBe(204);
    expect((await mailed('Confirm your e-mail address')).length).toBe(2);
    const statuses = [];
    for (let round = 1; round <= confirmationLimit.limit; round += 1)
      statuses.push((await again()).statusCode);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    // Mails overtake each other: the first link is as good as the last.
    await confirm(first);
    expect((await confirm(await confirmationToken())).statusCode).toBe(410);
  });

  it('needs no second confirmation', async () => {
    await confirm(await confirmationToken());
    expect(reasonOf(await post('/v1/email_confirmations', undefined, person.cookie))).toBe(
      'email_already_confirmed',
    );
  });

  it('orders nothing before it is confirmed, where the operator asks for that', async () => {
    const tenant = await newTenant(api.current, `tenant${people}@example.com`);
    const body = { name: 'a', server_type: 's1', image: 'web' };
    const order = () => api.current.request('POST', '/v1/servers', { token: tenant.token, body });
    const refused = await order();
    expect(refused.statusCode).toBe(403);
    expect(refused.json().error).toMatchObject({
      code: 'forbidden',
      details: { reason: 'email_unconfirmed' },
    });
    const quote = async () =>
      (await post('/v1/quotes', { server_type: 's1', image: 'web' }, tenant.cookie)).json().quote;
    expect(await quote()).toMatchObject({ allowed: false, problems: [{ code: 'email_unconfirmed' }] });
    await api.current.dataSource.query('UPDATE accounts SET email_confirmed_at = now() WHERE id = $1', [
      tenant.accountId,
    ]);
    expect(await quote()).toMatchObject({ allowed: true, problems: [] });
    expect((await order()).statusCode).toBe(201);
  });
});

describe('a forgotten password', () => {
  it('ends the API tokens of whoever signed up with an address that was not theirs', async () => {
    const body = { name: 'a', access: 'read_write' };
    const { token } = (await post('/v1/api_tokens', body, person.cookie)).json();
    await reset(await resetToken());
    expect((await api.current.request('GET', '/v1/servers', { token })).statusCode).toBe(401);
  });

  it('leaves API tokens alone, and ends all of them where that is asked for', async () => {
    await api.current.dataSource.query('UPDATE accounts SET email_confirmed_at = now() WHERE id = $1', [
      person.accountId,
    ]);
    const tokens = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const body = { name, access: 'read_write' };
        return (await post('/v1/api_tokens', body, person.cookie)).json().token as string;
      }),
    );
    const answers = () =>
      Promise.all(
        tokens.map(async (token) => (await api.current.request('GET', '/v1/servers', { token })).statusCode),
      );
    await reset(await resetToken());
    expect(await answers()).toEqual([200, 200]);
    const again = { token: await resetToken(), password, revoke_api_tokens: true };
    expect((await post('/v1/password_resets/actions/complete', again)).statusCode).toBe(200);
    expect(await answers()).toEqual([401, 401]);
    const entries = await api.current.get<AuditService>(AuditService).list({ email: person.email, limit: 9 });
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'account.revoke_api_tokens', detail: { tokens: 2 } }),
    );
  });

  it('is replaced by the link in a mail, once; all sessions end, and the owner is told', async () => {
    const elsewhere = cookieOf((await signIn(password)).headers);
    const token = await resetToken();
    expect((await reset(token)).json()).toEqual({ account: { id: person.accountId, email: person.email } });
    expect(await Promise.all([person.cookie, elsewhere].map(isSignedIn))).toEqual([false, false]);
    expect((await signIn(password)).statusCode).toBe(401);
    expect((await signIn(newPassword)).statusCode).toBe(201);
    expect((await reset(token, 'yet another password')).statusCode).toBe(410);
    expect((await signIn(newPassword)).statusCode).toBe(201);
    const [told, ...more] = await mailed('Your password was changed');
    expect(more).toEqual([]);
    expect(told?.text).toMatch(/changed at \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    expect(await audited()).toEqual(
      expect.arrayContaining(['account.ask_password_reset', 'account.reset_password']),
    );
  });

  it('confirms the address that the mail went to', async () => {
    await reset(await resetToken());
    const { account } = (await signIn(newPassword)).json();
    expect(account.email_confirmed).toBe(true);
  });

  it('is asked for with the same answer whether there is such an account', async () => {
    const there = await post('/v1/password_resets', { email: person.email.toUpperCase() });
    const not = await post('/v1/password_resets', { email: `nobody${people}@example.com` });
    expect([there.statusCode, there.body]).toEqual([204, '']);
    expect([not.statusCode, not.body]).toEqual([204, '']);
    const mails = await mailed('Set a new password');
    expect(mails).toHaveLength(1);
    // To the address as its owner wrote it, whatever was asked for.
    expect(mails[0]?.recipients).toEqual([person.email]);
    expect(sink.mails().flatMap(({ recipients }) => recipients)).not.toContain(`nobody${people}@example.com`);
  });

  it('is asked for a few times an hour, for one address, whether it has an account', async () => {
    for (const email of [person.email, 'nobody@example.com']) {
      const statuses = [];
      for (let round = 0; round <= resetForEmailLimit.limit; round += 1) {
        statuses.push((await post('/v1/password_resets', { email })).statusCode);
      }
      expect(statuses).toEqual([...Array(resetForEmailLimit.limit).fill(204), 429]);
    }
  });

  it('stays as it is with a link that is too old, was made up, or is for something else', async () => {
    const token = await resetToken();
    expect((await reset('x'.repeat(64))).statusCode).toBe(410);
    expect((await reset(await confirmationToken())).statusCode).toBe(410);
    expect((await reset(token, 'short')).statusCode).toBe(422);
    await age(3601);
    expect((await reset(token)).statusCode).toBe(410);
    expect((await signIn(password)).statusCode).toBe(201);
    expect(await mailed('Your password was changed')).toEqual([]);
  });

  it('is replaced by one of several who follow the same link at once, and the other links are void', async () => {
    const older = await resetToken();
    const token = await resetToken();
    const answers = await Promise.all([1, 2, 3].map((index) => reset(token, `${newPassword} ${index}`)));
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 410, 410]);
    expect((await reset(older)).statusCode).toBe(410);
    expect(await mailed('Your password was changed')).toHaveLength(1);
  });

  it('leaves no session that its old password opens in the same moment', async () => {
    for (let round = 0; round < 4; round += 1) {
      const token = await resetToken();
      const old = round === 0 ? password : `${newPassword} ${round - 1}`;
      const [done, ...signIns] = await Promise.all([
        reset(token, `${newPassword} ${round}`),
        ...Array.from({ length: 4 }, () => signIn(old)),
      ]);
      expect(done?.statusCode).toBe(200);
      const cookies = signIns
        .filter(({ statusCode }) => statusCode === 201)
        .map(({ headers }) => cookieOf(headers));
      expect(await Promise.all(cookies.map(isSignedIn))).toEqual(cookies.map(() => false));
    }
  });
});

describe('links', () => {
  it('lie nowhere in the database as they are in the mails', async () => {
    const tokens = [await confirmationToken(), await resetToken()];
    const rows: object[] = await api.current.dataSource.query('SELECT row_to_json(m) FROM mails m');
    const links: object[] = await api.current.dataSource.query('SELECT row_to_json(l) FROM mailed_links l');
    for (const token of tokens) expect(JSON.stringify([rows, links])).not.toContain(token);
  });

  it('are not written down in the audit', async () => {
    const token = await confirmationToken();
    await confirm(token);
    const entries = await api.current.get<AuditService>(AuditService).list({ limit: 500 });
    expect(JSON.stringify(entries)).not.toContain(token);
  });
});
