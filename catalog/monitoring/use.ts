import { request } from 'node:https';
import type { Guest } from '../../test/catalog/guest.ts';
import { eventually, type Use } from '../../test/catalog/use.ts';

/** Prometheus scrapes itself and its server; who has no password gets nothing. */
export const use: Use = async (guest) => {
  const password = guest.secrets.admin_password ?? '';
  await eventually(async () => {
    const { status, body } = await ask(guest, '/api/v1/query?query=up', password);
    if (status !== 200) throw new Error(`Prometheus answers ${status}`);
    const up = (JSON.parse(body) as Answer).data.result.filter(({ value }) => value[1] === '1');
    if (up.length !== 2) throw new Error(`it reaches ${up.length} of 2: ${body}`);
  });
  for (const wrong of ['', 'another']) {
    const { status } = await ask(guest, '/api/v1/query?query=up', wrong);
    if (status !== 401) throw new Error(`with the password "${wrong}" it answers ${status}`);
  }
};

interface Answer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

/** Its certificate is its own, so nobody vouches for it. */
function ask(guest: Guest, path: string, password: string): Promise<{ status: number; body: string }> {
  const options = { host: '127.0.0.1', port: guest.portFor(9090), path, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const asking = request({ ...options, ...(password && { auth: `admin:${password}` }) }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => {
        body += String(chunk);
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asking.setTimeout(10_000, () => asking.destroy(new Error('no answer')));
    asking.on('error', reject).end();
  });
}
