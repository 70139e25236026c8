import type { FastifyInstance, FastifyReply } from 'fastify';
import { escapeHtml } from '../letter.ts';
import type { Mailbox, SunkMail } from './mailbox.ts';

/** A page of another site may not read mails by a name that it makes to mean this machine. */
const OWN_HOST = /^(127\.0\.0\.1|localhost)(:\d+)?$/;
/** The page itself: no script, and frames of our own. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'";
/** What a mail brings along: no script, no picture from elsewhere, in a place without an origin. Its links open beside. */
const MAIL_SANDBOX = 'allow-popups allow-popups-to-escape-sandbox';
const MAIL_POLICY = `sandbox ${MAIL_SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:`;

/** The list, a mail as text and as HTML, and the same as JSON for tests. */
export function addMailPages(app: FastifyInstance, mailbox: Mailbox): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!OWN_HOST.test(request.headers.host ?? '')) return reply.code(421).send('ask 127.0.0.1');
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });
  app.get('/', (_request, reply) => sendPage(reply, listPage(mailbox.list())));
  app.get<{ Params: { id: string } }>('/mails/:id', (request, reply) => {
    const mail = mailbox.get(Number(request.params.id));
    return mail ? sendPage(reply, mailPage(mail)) : sendPage(reply.code(404), missingPage());
  });
  app.get<{ Params: { id: string } }>('/mails/:id/html', (request, reply) => {
    const mail = mailbox.get(Number(request.params.id));
    if (!mail) return sendPage(reply.code(404), missingPage());
    const body = `<base target="_blank">${mail.html}`;
    return reply.header('content-security-policy', MAIL_POLICY).type('text/html; charset=utf-8').send(body);
  });
  app.get<{ Params: { id: string } }>('/mails/:id/raw', (request, reply) => {
    const mail = mailbox.get(Number(request.params.id));
    return mail
      ? reply.type('text/plain; charset=utf-8').send(mail.raw)
      : sendPage(reply.code(404), missingPage());
  });
  app.get<{ Querystring: { to?: string } }>('/mails.json', ({ query: { to } }) => ({
    mails: mailbox.list().filter(({ recipients }) => to === undefined || recipients.includes(to)),
  }));
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(html);
}

function listPage(mails: readonly SunkMail[]): string {
  if (mails.length === 0)
    return page('Mail', '<h1>Mail</h1><p>Nothing yet. Sign up in the storefront, and reload this page.</p>');
  const rows = mails.map(
    ({ id, received, recipients, subject }) =>
      `<tr><td><time datetime="${received}">${shortTime(received)}</time></td><td>${escapeHtml(recipients.join(', '))}</td>` +
      `<td><a href="/mails/${id}">${escapeHtml(subject || '(no subject)')}</a></td></tr>`,
  );
  const head =
    '<thead><tr><th scope="col">Received (UTC)</th><th scope="col">To</th><th scope="col">Subject</th></tr></thead>';
  return page('Mail', `<h1>Mail</h1><table>${head}<tbody>${rows.join('\n')}</tbody></table>`);
}

function mailPage({ id, received, from, recipients, subject, text, html, message_id }: SunkMail): string {
  const facts: [string, string][] = [
    ['From', from],
    ['To', recipients.join(', ')],
    ['Received', `${shortTime(received)} UTC`],
    ['Message-ID', message_id],
  ];
  const rows = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('');
  const frame = html
    ? `<h2>As HTML</h2><iframe title="The mail as HTML" sandbox="${MAIL_SANDBOX}" src="/mails/${id}/html"></iframe>`
    : '';
  return page(
    subject,
    `<p><a href="/">All mails</a></p><h1>${escapeHtml(subject)}</h1><dl>${rows}</dl>
<h2>As text</h2><pre tabindex="0">${withLinks(text)}</pre>${frame}<p><a href="/mails/${id}/raw">As it was sent</a></p>`,
  );
}

function missingPage(): string {
  return page(
    'No such mail',
    '<h1>No such mail</h1><p>Only the newest are kept. <a href="/">All mails</a></p>',
  );
}

/** Text with its links made to work. */
function withLinks(text: string): string {
  const pieces = text.split(/(https?:\/\/[^\s<>"]+)/);
  return pieces
    .map((piece, index) =>
      index % 2 === 1 ? `<a href="${escapeHtml(piece)}">${escapeHtml(piece)}</a>` : escapeHtml(piece),
    )
    .join('');
}

function shortTime(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1a1f36;--soft:#596171;--line:#d5dbe1;--page:#f6f8fa;--card:#fff;--accent:#3b36a3}
@media (prefers-color-scheme:dark){:root{--ink:#eceff4;--soft:#a9b3c1;--line:#3b4453;--page:#11151c;--card:#1a202a;
--accent:#a5a0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:56rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin-top:2rem}
table{width:100%;border-collapse:collapse;background:var(--card)}
th,td{padding:.5rem .7rem;border:1px solid var(--line);text-align:left;overflow-wrap:anywhere}
td:first-child{white-space:nowrap}
a{color:var(--accent)}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere}
iframe{width:100%;height:28rem;border:1px solid var(--line);background:#fff;color-scheme:light}
.banner{background:#fff4d6;color:#5c4200;text-align:center;padding:.6rem 1rem;font-size:.9rem}
`;

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Mail sink</title>
<style>${STYLE}</style>
</head>
<body>
<div class="banner" role="note">What Servery sent. It stays on this machine: nobody else got it.</div>
<main>${body}</main>
</body>
</html>
`;
}
