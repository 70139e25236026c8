import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../services/private-file.ts';
import type { Step } from './step.ts';
import type { Up } from './up.ts';

/**
 * Writes what a shell can source: `<folder>/env` with the demo's logins, and `<folder>/operator.env` with the
 * settings of this installation, for `npm run servery`.
 */
export const envFileStep: Step = {
  title: 'Logins for your shell',
  async run(up) {
    const { customer, operator, token } = up.state.demo;
    const { PATH: _path, HOME: _home, LANG: _lang, ...settings } = up.environment();
    await writeVariables(up, 'operator.env', settings);
    return writeVariables(up, 'env', {
      SERVERY_URL: up.url,
      HCLOUD_ENDPOINT: `${up.url}/v1`,
      HCLOUD_TOKEN: token ?? '',
      ...(up.mailUrl && { SERVERY_MAIL_URL: up.mailUrl }),
      SERVERY_CUSTOMER_EMAIL: customer.email,
      SERVERY_CUSTOMER_PASSWORD: customer.password,
      SERVERY_OPERATOR_EMAIL: operator.email,
      SERVERY_OPERATOR_PASSWORD: operator.password,
    });
  },
};

async function writeVariables(up: Up, name: string, variables: NodeJS.ProcessEnv): Promise<string> {
  const file = join(up.folder, name);
  await writePrivateFile(file, Object.entries(variables).map(exportLine).join(''));
  // Under sudo, the one who owns the checkout is to read it.
  const owner = await stat(up.root);
  if (process.getuid?.() === 0) await chown(file, owner.uid, owner.gid);
  return file;
}

function exportLine([name, value = '']: [string, string | undefined]): string {
  return `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`;
}
