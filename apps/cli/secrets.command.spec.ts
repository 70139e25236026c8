import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore } from '#libs/servers';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from '#libs/workflows/harness';
import { startBuilt } from '../../test/support/built-app.ts';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { SEALED } from './secrets.command.ts';

/** The world's own. */
const former = Buffer.alloc(32, 7);
const present = Buffer.alloc(32, 8);

let address: Awaited<ReturnType<typeof createServerWorld>>;
let world: ServerWorld;
beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

const servery = (...formerKeys: Buffer[]) =>
  serveryCli(() => ({
    DATABASE_URL: address.url,
    SERVERY_SECRET_KEY: present.toString('base64'),
    SERVERY_FORMER_SECRET_KEYS: formerKeys.map((key) => key.toString('base64')).join(','),
  }));

it('servery secrets reseal makes a former key needless, and names what no key opens', async () => {
  const { id } = await standingServer(world, 'off');
  const { manager } = world.dataSource;
  await world.deps.secrets.put(manager, id, 'user_data', '#cloud-config');
  const refused = servery()('secrets', 'reseal');
  await expect(refused).rejects.toThrow(new RegExp(`server_secrets: no key opens .*${id}/user_data`));

  const said = await servery(former)('secrets', 'reseal');
  expect(said).toMatch(/✔ server_secrets: [1-9]\d* sealed anew\n✔ rehearsals: 0 .*\n✔ image_imports: 0 /);
  const secrets = new SecretsStore(new EnvelopeCipher([present]));
  expect(await secrets.read(manager, id, 'user_data')).toBe('#cloud-config');
  expect(await servery()('secrets', 'reseal')).toContain('Nothing that lasts needs a former key.');
});

it('servery secrets adopt lets programs start where the key before is lost', async () => {
  const start = () =>
    startBuilt('api', { DATABASE_URL: String(address.url), SERVERY_SECRET_KEY: present.toString('base64') });
  const note = `UPDATE installation SET secret_key_id = '\\x01020304'`;
  await world.dataSource.query(note);
  const refused = await start();
  const [code] = await once(refused.process, 'exit');
  expect(code).toBe(1);

  expect(await servery()('secrets', 'adopt')).toContain('sealed under SERVERY_SECRET_KEY from now on');
  const api = await start();
  await expect.poll(() => isServing(api.url), { timeout: 50_000 }).toBe(true);
  expect(await api.stop()).toBe(0);
});

async function isServing(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
  return answer?.ok ?? false;
}

/** Digests, what is no secret, and answers, which are kept for a day. */
const NOT_SEALED_FOR_LONG = [
  'api_tokens.token_hash',
  'consoles.token_hash',
  'cook_output.bytes',
  'idempotency_keys.answer',
  'idempotency_keys.fingerprint',
  'image_screenshots.png',
  'installation.secret_key_id',
  'mailed_links.token_hash',
  'rehearsal_output.bytes',
  'sessions.token_hash',
];

it('whatever column of bytes there is, is sealed anew or known to need it not', async () => {
  const rows = await world.dataSource.query<{ name: string }[]>(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND data_type = 'bytea'`,
  );
  const sealed = SEALED.map(({ table, column }) => `${table}.${column}`);
  expect(rows.map(({ name }) => name).toSorted()).toEqual([...sealed, ...NOT_SEALED_FOR_LONG].toSorted());
});
