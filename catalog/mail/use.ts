import { connect, type TLSSocket } from 'node:tls';
import nodemailer from 'nodemailer';
import type { Guest } from '../../test/catalog/guest.ts';
import { eventually, type Use } from '../../test/catalog/use.ts';

/** A message that is sent by SMTP is read by IMAP; strangers cannot log in, and cannot send through it. */
export const use: Use = async (guest) => {
  const domain = await guest.must('hostname --fqdn');
  const password = guest.secrets.postmaster_password ?? '';
  await guest.must(`echo correct-horse | mailbox add ada@${domain}`);

  const postmaster = { user: `postmaster@${domain}`, pass: password };
  await eventually(() => send(guest, postmaster, `ada@${domain}`, 'The first letter'));
  await eventually(async () => {
    const read = await readAll(guest, `ada@${domain}`, 'correct-horse');
    if (!read.includes('The first letter')) throw new Error(`ada has:\n${read}`);
  });
  await assertFails(send(guest, { ...postmaster, pass: 'another' }, `ada@${domain}`, 'Not sent'));
  await assertFails(readAll(guest, 'postmaster', 'another'));
  await assertFails(relay(guest, 'somebody@example.org'));
  await relay(guest, `ada@${domain}`);
  await readAll(guest, 'postmaster', password);
};

const NO_VOUCHER = { rejectUnauthorized: false };

async function send(
  guest: Guest,
  auth: { user: string; pass: string },
  to: string,
  subject: string,
): Promise<void> {
  const where = { host: '127.0.0.1', port: guest.portFor(465), secure: true, tls: NO_VOUCHER };
  const transport = nodemailer.createTransport({ ...where, auth });
  try {
    await transport.sendMail({ from: auth.user, to, subject, text: 'Dear reader' });
  } finally {
    transport.close();
  }
}

/** As any server of the world would bring mail. */
async function relay(guest: Guest, to: string): Promise<void> {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: guest.portFor(25),
    tls: NO_VOUCHER,
  });
  try {
    await transport.sendMail({ from: 'bob@example.com', to, subject: 'From outside', text: 'Hello' });
  } finally {
    transport.close();
  }
}

/** The headers and texts of a mailbox (RFC 3501). @throws where IMAP refuses the login */
async function readAll(guest: Guest, user: string, password: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: guest.portFor(993), ...NO_VOUCHER });
  try {
    const imap = answers(socket);
    await imap.until('* OK');
    const ask = async (tag: string, command: string) => {
      socket.write(`${tag} ${command}\r\n`);
      return imap.until(`${tag} `);
    };
    const login = await ask('a1', `LOGIN "${user}" "${password}"`);
    if (!login.includes('a1 OK')) throw new Error(`IMAP says: ${login}`);
    await ask('a2', 'SELECT INBOX');
    return await ask('a3', 'FETCH 1:* BODY.PEEK[]');
  } finally {
    socket.destroy();
  }
}

/** What a socket has said, up to the line that begins with a mark. */
function answers(socket: TLSSocket) {
  let said = '';
  let failure: Error | undefined;
  socket.setTimeout(30_000, () => socket.destroy(new Error('IMAP does not answer')));
  socket.on('data', (chunk) => {
    said += String(chunk);
  });
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => {
    failure ??= new Error('IMAP has hung up');
  });
  return {
    async until(mark: string): Promise<string> {
      for (;;) {
        if (new RegExp(`^${RegExp.escape(mark)}.*\r\n`, 'm').test(said)) {
          const answer = said;
          said = '';
          return answer;
        }
        if (failure) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

async function assertFails(attempt: Promise<unknown>): Promise<void> {
  const outcome = await attempt.then(
    () => 'succeeded',
    () => undefined,
  );
  if (outcome) throw new Error('what must be refused was done');
}
