import type { Guest } from '../../test/catalog/guest.ts';
import { eventually, type Use } from '../../test/catalog/use.ts';

/** A visitor reads the page; the admin logs in with the password that was handed over, and nobody does with another. */
export const use: Use = async (guest) => {
  const page = await eventually(() => read(guest, '/'));
  if (!page.includes('My site')) throw new Error(`the page is:\n${page.slice(0, 2000)}`);
  const cookie = await logIn(guest, guest.secrets.admin_password ?? '');
  if (!cookie) throw new Error('the admin cannot log in');
  const dashboard = await read(guest, '/wp-admin/', cookie);
  if (!dashboard.includes('Dashboard')) throw new Error(`the admin sees:\n${dashboard.slice(0, 2000)}`);
  if (await logIn(guest, 'another')) throw new Error('somebody logged in with another password');
};

async function read(guest: Guest, path: string, cookie = ''): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${guest.portFor(80)}${path}`, { headers: { cookie } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}:\n${text.slice(0, 2000)}`);
  return text;
}

/** The cookies of a session, or undefined where WordPress refuses it. */
async function logIn(guest: Guest, password: string): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${guest.portFor(80)}/wp-login.php`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: 'wordpress_test_cookie=WP%20Cookie%20check' },
    body: new URLSearchParams({ log: 'admin', pwd: password, testcookie: '1' }),
  });
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]);
  return answer.status === 302 ? cookies.join('; ') : undefined;
}
