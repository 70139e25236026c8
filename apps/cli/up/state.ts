import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from '../services/private-file.ts';

const MAIL_PORT = 8083;
const SMTP_PORT = 8025;

const account = z.object({ email: z.string(), password: z.string() });

/** What `up` chose once and keeps: ports, keys, the demo's logins. It lies in `<folder>/state.json`, private. */
const stateSchema = z.object({
  ports: z.object({
    api: z.int(),
    worker: z.int(),
    stripe: z.int(),
    /** Of the page that shows mails, and of the mail server behind it. A folder of former times has neither. */
    mail: z.int().default(MAIL_PORT),
    smtp: z.int().default(SMTP_PORT),
  }),
  /** The envelope key: without it, secrets in the database cannot be opened again. */
  secretKey: z.string(),
  stripe: z.object({ secretKey: z.string(), webhookSecret: z.string() }),
  /** Logins are made before the accounts are, so that making them again does no harm. The API gives the token. */
  demo: z.object({ customer: account, operator: account, token: z.string().length(64).nullable() }),
});
export type UpState = z.infer<typeof stateSchema>;

/** The state of `folder`; a new one, saved, where there is none. */
export async function loadState(folder: string): Promise<UpState> {
  const text = await readFile(join(folder, 'state.json'), 'utf8').catch(() => undefined);
  if (text !== undefined) return stateSchema.parse(JSON.parse(text));
  const state = newState();
  await saveState(folder, state);
  return state;
}

export async function saveState(folder: string, state: UpState): Promise<void> {
  await writePrivateFile(join(folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

function newState(): UpState {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex');
  return {
    ports: { api: 8080, worker: 8081, stripe: 8082, mail: MAIL_PORT, smtp: SMTP_PORT },
    secretKey: randomBytes(32).toString('base64'),
    stripe: { secretKey: `sk_test_${hex(24)}`, webhookSecret: `whsec_${hex(24)}` },
    demo: {
      customer: { email: 'customer@example.com', password: randomBytes(12).toString('base64url') },
      operator: { email: 'operator@example.com', password: randomBytes(12).toString('base64url') },
      token: null,
    },
  };
}
