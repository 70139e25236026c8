import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../services/private-file.ts';
import type { Step } from './step.ts';

/** Writes `<folder>/env`, which a shell can source: see the README. */
export const envFileStep: Step = {
  title: 'Logins for your shell',
  async run(up) {
    const { customer, operator, token } = up.state.demo;
    const variables = {
      SERVERY_URL: up.url,
      HCLOUD_ENDPOINT: `${up.url}/v1`,
      HCLOUD_TOKEN: token ?? '',
      SERVERY_CUSTOMER_EMAIL: customer.email,
      SERVERY_CUSTOMER_PASSWORD: customer.password,
      SERVERY_OPERATOR_EMAIL: operator.email,
      SERVERY_OPERATOR_PASSWORD: operator.password,
    };
    const file = join(up.folder, 'env');
    await writePrivateFile(file, Object.entries(variables).map(exportLine).join(''));
    // Under sudo, the one who owns the checkout is to read it.
    const owner = await stat(up.root);
    if (process.getuid?.() === 0) await chown(file, owner.uid, owner.gid);
    return file;
  },
};

function exportLine([name, value]: [string, string]): string {
  return `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`;
}
