import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Guest } from '../../test/catalog/guest.ts';
import { eventually, type Use } from '../../test/catalog/use.ts';

const EVENT = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//catalog//verify//EN',
  'BEGIN:VEVENT',
  'UID:first-meeting',
  'DTSTAMP:20300101T000000Z',
  'DTSTART:20300102T090000Z',
  'DTEND:20300102T100000Z',
  'SUMMARY:The first meeting',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');

/** People log in to the page; a calendar's client writes an event and finds it again; nobody does with another password. */
export const use: Use = async (guest) => {
  const domain = await guest.must('hostname --fqdn');
  const postmaster = { user: `postmaster@${domain}`, password: guest.secrets.postmaster_password ?? '' };
  await eventually(() => expectAnswer(logIn(guest, postmaster), 200));
  await expectAnswer(logIn(guest, { ...postmaster, password: 'another' }), 403);

  const event = `/SOGo/dav/${postmaster.user}/Calendar/personal/first-meeting.ics`;
  await expectAnswer(
    ask(guest, postmaster, 'PUT', event, { type: 'text/calendar; charset=utf-8', content: EVENT }),
    201,
  );
  const meetings = await report(guest, postmaster);
  if (!meetings.includes('The first meeting')) throw new Error(`the calendar has:\n${meetings}`);
  await expectAnswer(ask(guest, { ...postmaster, password: 'another' }, 'GET', event), 401);

  await guest.must(`echo correct-horse | mailbox add ada@${domain}`);
  const ada = { user: `ada@${domain}`, password: 'correct-horse' };
  await expectAnswer(logIn(guest, ada), 200);
  // What was not shared with her is not there for her.
  await expectAnswer(ask(guest, ada, 'GET', event), 404);
  await guest.must(`mailbox remove ada@${domain}`);
};

interface Person {
  readonly user: string;
  readonly password: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function logIn(guest: Guest, { user: userName, password }: Person): Promise<Answer> {
  const body = JSON.stringify({ userName, password });
  return send(guest, 'POST', '/SOGo/connect', { 'content-type': 'application/json' }, body);
}

function ask(
  guest: Guest,
  { user, password }: Person,
  method: string,
  path: string,
  body?: { readonly type: string; readonly content: string },
): Promise<Answer> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const headers = { authorization, depth: '1', ...(body && { 'content-type': body.type }) };
  return send(guest, method, path, headers, body?.content);
}

/** The server's certificate is its own, which nobody vouches for. */
function send(
  guest: Guest,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Answer> {
  const where = { host: '127.0.0.1', port: guest.portFor(443), path, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    request({ ...where, method, headers }, (answer) => {
      text(answer).then((said) => resolve({ status: answer.statusCode, text: said }), reject);
    })
      .on('error', reject)
      .end(body);
  });
}

/** The events of a day (RFC 4791, 7.8). */
async function report(guest: Guest, person: Person): Promise<string> {
  const query = `<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
  <D:prop><D:getetag/><C:calendar-data/></D:prop>
  <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
    <C:time-range start="20300102T000000Z" end="20300103T000000Z"/>
  </C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>`;
  const path = `/SOGo/dav/${person.user}/Calendar/personal/`;
  const body = { type: 'application/xml; charset=utf-8', content: query };
  return expectAnswer(ask(guest, person, 'REPORT', path, body), 207);
}

async function expectAnswer(asked: Promise<Answer>, status: number): Promise<string> {
  const answer = await asked;
  if (answer.status === status) return answer.text;
  throw new Error(`it answers ${answer.status}, not ${status}:\n${answer.text.slice(0, 2000)}`);
}
