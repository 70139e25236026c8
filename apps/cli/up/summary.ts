import { join } from 'node:path';
import pc from 'picocolors';
import type { Up } from './up.ts';

/** What a newcomer wants to know when everything is up. */
export function summary(up: Up): string {
  const { customer, operator } = up.state.demo;
  const rows: [string, string][] = [
    ['Storefront', up.url],
    ['Customer', `${customer.email}  ${customer.password}`],
    ['Operator', `${operator.email}  ${operator.password}`],
    ['API', `${up.url}/v1  (docs: ${up.url}/docs)`],
  ];
  for (const access of up.demo?.server.servery.access ?? []) {
    if (access.url) rows.push([`${up.demo?.server.name}, ${access.service}`, access.url]);
  }
  if (up.demo) rows.push(['Log in', up.demo.sshCommand]);
  if (up.stripeEmulatorUrl)
    rows.push(['Payment', 'emulated, no real money: pay with card 4242 4242 4242 4242']);
  if (up.mailUrl)
    rows.push(['Mail', `${up.mailUrl}  (what customers are sent; nothing leaves this machine)`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${pc.bold(name.padEnd(width))}  ${value}`);
  return [pc.green('Servery is up.'), ...table, '', ...nextSteps(up)].join('\n');
}

function nextSteps(up: Up): string[] {
  return [
    'What to try next:',
    `  . ${join(up.folder, 'env')}; hcloud server list      (apt-get install hcloud-cli)`,
    '  npm run lab -- status                     the hosts',
    '  npm run down                              stop; with `-- --purge`, remove the data as well',
  ];
}
