import { PinoLogger } from 'nestjs-pino';
import { beforeAll, expect, it } from 'vitest';
import type { Environment } from '#libs/config';
import { newId } from '#libs/kernel';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore } from '#libs/servers';
import { testDatabase } from '../../test/support/test-database.ts';
import { Pruning } from './pruning.ts';

const KEEP_DAYS = 90;
const AUDIT_KEEP_DAYS = 400;
const database = testDatabase();

function pruning(): Pruning {
  const environment = { SERVERY_KEEP_DAYS: KEEP_DAYS, SERVERY_AUDIT_KEEP_DAYS: AUDIT_KEEP_DAYS };
  const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
  const secrets = new SecretsStore(new EnvelopeCipher([Buffer.alloc(32)]));
  return new Pruning(database.dataSource, secrets, environment as Environment, log);
}

function insert(table: string, values: Record<string, unknown>): Promise<unknown> {
  const names = Object.keys(values);
  const places = names.map((_, index) => `$${index + 1}`);
  return database.dataSource.query(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(values),
  );
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

/** One row in each table; `name` tells it from others, `end` is when it came to its end, if it did. */
async function plant(name: string, begun: Date, end: Date | null, auditAt = begun): Promise<void> {
  await insert('stripe_events', {
    id: name,
    type: 't',
    subject_kind: 'other',
    occurred_at: begun,
    processed_at: end,
  });
  await insert('payment_calls', {
    idempotency_key: name,
    kind: 'open_hold',
    subject_id: newId(),
    attempt: 1,
    request: {},
    begun_at: begun,
    answered_at: end,
  });
  await insert('findings', {
    id: newId(),
    kind: 'orphan_volume',
    subject: name,
    first_seen_at: begun,
    resolved_at: end,
  });
  await insert('audit_entries', {
    id: newId(),
    account_id: 1,
    actor_kind: 'system',
    action: name,
    subject_kind: 'server',
    subject_id: 1,
    created_at: auditAt,
  });
  await insert('mails', {
    id: newId(),
    cause: name,
    recipient: 'a@example.org',
    template: 'password-changed',
    data: {},
    give_up_at: begun,
    sent_at: end,
  });
  await insert('exports', {
    id: newId(),
    account_id: 1,
    project_id: 1,
    image_id: 1,
    source_name: name,
    format: 'raw',
    state: end ? 'failed' : 'creating',
    finished_at: end,
  });
  const recipe = { recipe_id: newId(), version: 1 };
  await insert('recipes', { id: recipe.recipe_id, project_id: 1, name, deleted_at: end });
  await insert('recipe_versions', { ...recipe, spec: {} });
  await insert('cooks', {
    ...{ id: newId(), account_id: 1, project_id: 1, ...recipe, recipe_name: name, currency: 'eur' },
    ...{ is_forced: false, new_image_id: newId(), finished_at: end },
  });
  await insert('idempotency_keys', {
    scope: 's',
    key: name,
    fingerprint: Buffer.alloc(1),
    resource_id: 1,
    expires_at: end ?? daysAgo(-1),
  });
}

async function left(): Promise<Record<string, unknown[]>> {
  const names = async (table: string, column: string) =>
    (
      await database.dataSource.query<{ name: string }[]>(`SELECT ${column} AS name FROM ${table} ORDER BY 1`)
    ).map(({ name }) => name);
  return {
    events: await names('stripe_events', 'id'),
    calls: await names('payment_calls', 'idempotency_key'),
    findings: await names('findings', 'subject'),
    audit: await names('audit_entries', 'action'),
    mails: await names('mails', 'cause'),
    exports: await names('exports', 'source_name'),
    cooks: await names('cooks', 'recipe_name'),
    recipes: await names('recipes', 'name'),
    keys: await names('idempotency_keys', 'key'),
  };
}

beforeAll(async () => {
  const limits = { max_servers: 0, max_vcpus: 0, max_memory_mib: 0 };
  await insert('accounts', { id: 1, email: 'a@example.org', password_hash: '', name: 'a', ...limits });
  await insert('projects', { id: 1, account_id: 1, name: 'a' });
  await plant('old', daysAgo(KEEP_DAYS + 1), daysAgo(KEEP_DAYS + 1), daysAgo(AUDIT_KEEP_DAYS + 1));
  await plant('recent', daysAgo(KEEP_DAYS - 1), daysAgo(KEEP_DAYS - 1), daysAgo(AUDIT_KEEP_DAYS - 1));
  await plant('unfinished', daysAgo(KEEP_DAYS + 1), null);
});

it('forgets what ended before the days that are kept, and nothing that has not ended', async () => {
  expect(await pruning().run()).toEqual({
    stripe_events: 1,
    consoles: 0,
    rescues: 0,
    payment_calls: 1,
    findings: 1,
    audit_entries: 1,
    mails: 1,
    exports: 1,
    rehearsals: 0,
    cooks: 1,
    recipes: 1,
    restore_tests: 0,
    idempotency_keys: 2,
  });
  const kept = ['recent', 'unfinished'];
  const expected = {
    events: kept,
    calls: kept,
    findings: kept,
    audit: kept,
    mails: kept,
    exports: kept,
    cooks: kept,
    recipes: kept,
    keys: ['unfinished'],
  };
  expect(await left()).toEqual(expected);
  expect(new Set(Object.values(await pruning().run()))).toEqual(new Set([0]));
  expect(await left()).toEqual(expected);
});

it('keeps a cook, and its recipe, as long as the image that it has made', async () => {
  await plant('stood-on', daysAgo(KEEP_DAYS + 1), daysAgo(KEEP_DAYS + 1));
  await database.dataSource.query(
    `INSERT INTO images (id, name, type, volume_name, file_size_bytes, virtual_size_bytes, appliance, package_count,
                         project_id, cook_id)
     SELECT 1, 'recipe-1', 'snapshot', 'recipe-1.qcow2', 1, 1, '{}', 1, 1, id FROM cooks WHERE recipe_name = 'stood-on'`,
  );
  expect(await pruning().run()).toMatchObject({ exports: 1, cooks: 0, recipes: 0 });
  await database.dataSource.query('UPDATE images SET deleted_at = now()');
  expect(await pruning().run()).toMatchObject({ cooks: 1, recipes: 1 });
});
