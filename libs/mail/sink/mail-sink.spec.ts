import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smtpCarrier } from '../smtp/index.ts';
import { type MailSink, type SinkOptions, startMailSink } from './index.ts';

let folder: string;
let sink: MailSink;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-sink-'));
  await start();
});
afterEach(async () => {
  await sink.close();
  await rm(folder, { recursive: true });
});

async function start(options: Partial<SinkOptions> = {}): Promise<void> {
  sink = await startMailSink({ smtpPort: 0, httpPort: 0, folder, most: 3, ...options });
}

async function send(subject: string, html = '<p>Hi</p>'): Promise<void> {
  const carrier = smtpCarrier({ url: sink.smtpUrl, from: 'servery@example.org' });
  await carrier.send({
    id: 1,
    to: 'anna@example.org',
    subject,
    text: 'See https://example.org/a?b=1&c=2 <b>',
    html,
  });
}

const subjects = () => sink.mails().map(({ subject }) => subject);
const read = async (path: string) => (await fetch(`${sink.url}${path}`)).text();

describe('the mail sink', () => {
  it('keeps the newest mails, and keeps them when it starts again', async () => {
    for (const subject of ['one', 'two', 'three', 'four']) await send(subject);
    expect(subjects()).toEqual(['four', 'three', 'two']);
    await sink.close();
    await writeFile(join(folder, 'mail-9.json'), '{"half":');
    await start();
    expect(subjects()).toEqual(['four', 'three', 'two']);
    await send('five');
    expect(sink.mails().map(({ id }) => id)).toEqual([5, 4, 3]);
    expect((await readdir(folder)).filter((name) => name !== 'mail-9.json').toSorted()).toEqual([
      'mail-3.json',
      'mail-4.json',
      'mail-5.json',
    ]);
  });

  it('gives them to tests as JSON', async () => {
    await send('Grüße');
    const { mails } = JSON.parse(await read('/mails.json?to=anna@example.org'));
    expect(mails).toMatchObject([{ id: 1, subject: 'Grüße', recipients: ['anna@example.org'] }]);
    expect(JSON.parse(await read('/mails.json?to=bert@example.org'))).toEqual({ mails: [] });
  });

  it('shows a list, and a mail as text with links that work', async () => {
    expect(await read('/')).toContain('Nothing yet');
    await send('<script>alert(1)</script>');
    expect(await read('/')).toContain('<a href="/mails/1">&lt;script&gt;');
    const page = await read('/mails/1');
    expect(page).not.toContain('<script');
    expect(page).toContain('<a href="https://example.org/a?b=1&amp;c=2">');
    expect(page).toContain('&lt;b&gt;');
    expect((await fetch(`${sink.url}/mails/7`)).status).toBe(404);
  });

  it('shows the HTML of a mail where it can do nothing', async () => {
    await send('x', '<script>fetch("/mails.json")</script>');
    expect(await read('/mails/1')).toMatch(
      /<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"/,
    );
    const answer = await fetch(`${sink.url}/mails/1/html`);
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'/);
    expect(policy).not.toMatch(/script|allow-same-origin/);
  });

  it('shows nothing to a page that calls this machine by a name of its own', async () => {
    const status = await new Promise((resolve) => {
      get(`${sink.url}/mails.json`, { headers: { host: 'evil.example' } }, (answer) =>
        resolve(answer.statusCode),
      );
    });
    expect(status).toBe(421);
  });

  it('refuses a mail without measure, and goes on', async () => {
    await expect(send('big', 'x'.repeat(1024 * 1024 + 1))).rejects.toThrow();
    await send('small');
    expect(subjects()).toEqual(['small']);
  });
});
