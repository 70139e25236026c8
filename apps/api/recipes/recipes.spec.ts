import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let owner: Tenant;
let count = 0;

const ask = (method: string, path: string, body?: unknown, token = owner.token) =>
  api.current.request(method, path, { token, ...(body === undefined ? {} : { body }) });

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
});

async function write(more: object = {}) {
  const answer = await ask('POST', '/v1/recipes', { name: `shop-${count++}`, ...more });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json().recipe;
}

/** What is refused, field by field. */
async function refusedFields(body: object, method = 'POST', path = '/v1/recipes'): Promise<string[]> {
  const answer = await ask(method, path, body);
  expect([answer.statusCode, answer.json().error?.code]).toEqual([422, 'invalid_input']);
  return answer.json().error.details.fields.map((field: { name: string }) => field.name);
}

describe('components', () => {
  it('are shown to everybody, with bases and limits', async () => {
    const answer = await api.current.request('GET', '/v1/components');
    const { bases, components, limits } = answer.json();
    expect(bases.map(({ name }: { name: string }) => name)).toContain('debian-12');
    expect(bases.map(({ name }: { name: string }) => name)).not.toContain('rescue');
    expect(components.map(({ name }: { name: string }) => name)).toContain('nginx');
    expect(limits).toEqual({
      ...{ recipes: 50, components: 20, packages: 200 },
      ...{ files: 64, file_bytes: 131_072, files_bytes: 163_840, script_bytes: 32_768 },
      ...{ units: 50, ports: 30, health_checks: 20, yaml_bytes: 327_680 },
    });
  });
});

describe('a recipe', () => {
  it('is written by fields, and shown as YAML that makes the same recipe', async () => {
    const fields = {
      title: 'My shop',
      summary: 'With a page of its own',
      components: ['nginx'],
      packages: ['git'],
      files: [
        { path: '/var/www/html/index.html', content: '<h1>Hello</h1>\n', mode: '0644' },
        { path: '/usr/local/bin/x', content_base64: 'AAEC', mode: '0755' },
      ],
      first_boot_script: '#!/bin/sh\ntouch /root/done\n',
      ports: [{ name: 'Admin', port: 8443, protocol: 'https' }],
      health: [{ type: 'tcp', port: 8443 }],
      minimum: { memory_mib: 1024, disk_gib: 5 },
    };
    const recipe = await write(fields);
    expect(recipe).toMatchObject({
      ...fields,
      version: 1,
      base: 'debian-12',
      newest_cook: null,
      image: null,
    });
    await ask('DELETE', `/v1/recipes/${recipe.id}`);
    const again = await ask('POST', '/v1/recipes', { yaml: recipe.yaml });
    const { id: _, created: __, updated: ___, ...same } = again.json().recipe;
    expect(recipe).toMatchObject(same);
  });

  it('has a version for each change, and each can be read', async () => {
    const { id } = await write({ packages: ['git'] });
    const changed = (await ask('PUT', `/v1/recipes/${id}`, { packages: ['git', 'curl'] })).json().recipe;
    expect(changed).toMatchObject({ version: 2, packages: ['git', 'curl'] });
    const same = (await ask('PUT', `/v1/recipes/${id}`, { packages: ['git', 'curl'] })).json().recipe;
    expect(same.version).toBe(2);
    const by = (await ask('PUT', `/v1/recipes/${id}`, { yaml: `name: ${changed.name}\n` })).json().recipe;
    expect(by).toMatchObject({ version: 3, packages: [] });
    const { versions } = (await ask('GET', `/v1/recipes/${id}/versions`)).json();
    expect(versions.map(({ version }: { version: number }) => version)).toEqual([3, 2, 1]);
    const first = (await ask('GET', `/v1/recipes/${id}/versions/1`)).json().recipe;
    expect(first).toMatchObject({ version: 1, packages: ['git'] });
    expect((await ask('GET', `/v1/recipes/${id}/versions/4`)).json().error.details.reason).toBe(
      'recipe_version_not_found',
    );
  });

  it('is not changed by who has not seen its newest version', async () => {
    const { id } = await write();
    await ask('PUT', `/v1/recipes/${id}`, { summary: 'x', if_version: 1 });
    const late = await ask('PUT', `/v1/recipes/${id}`, { summary: 'y', if_version: 1 });
    expect([late.statusCode, late.json().error.details]).toEqual([
      409,
      { reason: 'recipe_changed', version: 2 },
    ]);
  });

  it('is changed by one of several at a time', async () => {
    const { id } = await write();
    const changes = ['a', 'b', 'c', 'd'].map((summary) => ask('PUT', `/v1/recipes/${id}`, { summary }));
    const codes = (await Promise.all(changes)).map(({ statusCode }) => statusCode);
    const done = codes.filter((code) => code === 200).length;
    expect(codes.filter((code) => code !== 200 && code !== 409)).toEqual([]);
    expect((await ask('GET', `/v1/recipes/${id}`)).json().recipe.version).toBe(1 + done);
  });

  it('has a name of its own in its project', async () => {
    const { name, id } = await write();
    const twin = await ask('POST', '/v1/recipes', { name });
    expect([twin.statusCode, twin.json().error.code]).toEqual([409, 'uniqueness_error']);
    const other = await write();
    expect((await ask('PUT', `/v1/recipes/${other.id}`, { name })).statusCode).toBe(409);
    const stranger = await newTenant(api.current, `stranger-${count++}@example.com`);
    expect((await ask('POST', '/v1/recipes', { name }, stranger.token)).statusCode).toBe(201);
    expect((await ask('DELETE', `/v1/recipes/${id}`)).statusCode).toBe(204);
    expect((await ask('POST', '/v1/recipes', { name })).statusCode).toBe(201);
  });

  it('is made once, however often it is asked for under one key', async () => {
    const body = { name: `once-${count++}` };
    const headers = { 'idempotency-key': 'recipe-once' };
    const answers = await Promise.all(
      [1, 2].map(() => api.current.request('POST', '/v1/recipes', { token: owner.token, body, headers })),
    );
    const ids = answers
      .filter(({ statusCode }) => statusCode === 201)
      .map((answer) => answer.json().recipe.id);
    expect(new Set(ids).size).toBe(1);
    const { recipes } = (await ask('GET', `/v1/recipes?name=${body.name}`)).json();
    expect(recipes).toHaveLength(1);
  });

  it('are as many as the operator lets a project have', async () => {
    const crowded = await newTenant(api.current, `crowded-${count++}@example.com`);
    await api.current.dataSource.query(
      `INSERT INTO recipes (id, project_id, name) SELECT 8000 + n, $1, 'r' || n FROM generate_series(1, 50) n`,
      [crowded.projectId],
    );
    const answer = await ask('POST', '/v1/recipes', { name: 'one-more' }, crowded.token);
    expect([answer.statusCode, answer.json().error.details]).toEqual([
      403,
      { reason: 'recipe_limit_reached', limit: 50, used: 50 },
    ]);
  });

  it.each<[what: string, body: object, fields: string[]]>([
    ['nothing', {}, ['name']],
    ['YAML and fields', { name: 'x1', yaml: 'name: x1' }, ['yaml']],
    ['an unknown field', { name: 'x1', colour: 'red' }, ['colour']],
    ['an unknown base', { name: 'x1', base: 'windows' }, ['base']],
    ['a rescue system as base', { name: 'x1', base: 'rescue' }, ['base']],
    ['an unknown component', { name: 'x1', components: ['nginx', 'frobnicator'] }, ['components.1']],
    [
      'components that cannot be together',
      { name: 'x1', components: ['nginx', 'caddy'] },
      ['components.0', 'components.1'],
    ],
    ['a port twice', { name: 'x1', ports: [80, 80].map((port) => ({ name: 'a', port })) }, ['ports.1.port']],
    [
      'a port of its component',
      { name: 'x1', components: ['nginx'], ports: [{ name: 'a', port: 80 }] },
      ['ports.0.port'],
    ],
    ['a port of its base', { name: 'x1', ports: [{ name: 'a', port: 22 }] }, ['ports.0.port']],
    ['a package that is none', { name: 'x1', packages: ['nginx; reboot'] }, ['packages.0']],
    ['a package twice', { name: 'x1', packages: ['git', 'git'] }, ['packages.1']],
    [
      'a file twice',
      { name: 'x1', files: ['a', 'b'].map((content) => ({ path: '/etc/x', content })) },
      ['files.1.path'],
    ],
    [
      'a file in a file',
      { name: 'x1', files: ['/etc/x', '/etc/x/y'].map((path) => ({ path, content: '' })) },
      ['files.1.path'],
    ],
    [
      'a path out of the image',
      { name: 'x1', files: [{ path: '/etc/../../root/x', content: '' }] },
      ['files.0.path'],
    ],
    [
      'a path of the running system',
      { name: 'x1', files: [{ path: '/proc/x', content: '' }] },
      ['files.0.path'],
    ],
    [
      'the identity of servers',
      { name: 'x1', files: [{ path: '/etc/ssh/ssh_host_rsa_key', content: '' }] },
      ['files.0.path'],
    ],
    ['a file without content', { name: 'x1', files: [{ path: '/etc/x' }] }, ['files.0.content']],
    [
      'a file with both contents',
      { name: 'x1', files: [{ path: '/etc/x', content: 'a', content_base64: 'YQ==' }] },
      ['files.0.content'],
    ],
    [
      'a mode with setuid',
      { name: 'x1', files: [{ path: '/etc/x', content: '', mode: '4755' }] },
      ['files.0.mode'],
    ],
    [
      'an owner that is none',
      { name: 'x1', files: [{ path: '/etc/x', content: '', owner: 'a:b' }] },
      ['files.0.owner'],
    ],
    ['text with NUL', { name: 'x1', files: [{ path: '/etc/x', content: 'a\0b' }] }, ['files.0.content']],
    ['half a character', { name: 'x1', first_boot_script: 'echo \ud800' }, ['first_boot_script']],
    [
      'a unit that is an option',
      { name: 'x1', services: { enable: ['--now.service'] } },
      ['services.enable.0'],
    ],
    [
      'a unit on and off',
      { name: 'x1', services: { enable: ['a.service'], mask: ['a.service'] } },
      ['services.enable.0'],
    ],
    ['an empty script', { name: 'x1', first_boot_script: '  \n' }, ['first_boot_script']],
    [
      'a script from Windows',
      { name: 'x1', first_boot_script: '#!/bin/sh\r\necho\r\n' },
      ['first_boot_script'],
    ],
    [
      'too large a file',
      { name: 'x1', files: [{ path: '/etc/x', content: 'x'.repeat(128 * 1024 + 1) }] },
      ['files.0.content'],
    ],
    [
      'too much in all',
      {
        name: 'x1',
        files: ['a', 'b'].map((name) => ({ path: `/etc/${name}`, content: 'x'.repeat(100 * 1024) })),
      },
      ['files'],
    ],
    [
      'its first boot unit masked',
      { name: 'x1', services: { mask: ['servery-first-boot.service'] } },
      ['services.mask.0'],
    ],
    ['a name that is none', { name: '-x' }, ['name']],
  ])('is refused with %s, by the field', async (_, body, fields) => {
    expect(await refusedFields(body)).toEqual(fields);
  });

  it('of the largest size fits into one request, however JSON spells it', async () => {
    const longest = (kib: number) => '\u0001'.repeat(kib * 1024);
    const files = [128, 32].map((kib) => ({ path: `/srv/${'é'.repeat(900)}/${kib}`, content: longest(kib) }));
    const refused = await ask('POST', '/v1/recipes', {
      name: 'longest',
      files,
      first_boot_script: longest(32),
    });
    const [problem] = refused.json().error.details.fields;
    expect([refused.statusCode, problem.name]).toEqual([422, 'files']);
    expect(problem.messages).toEqual([
      expect.stringMatching(/at most 320 KiB as YAML, and has \d+ KiB: put/),
    ]);
    const { id, name } = await write();
    const yaml = `name: ${name}\n`.padEnd(320 * 1024, '#"');
    expect((await ask('PUT', `/v1/recipes/${id}`, { yaml })).statusCode).toBe(200);
    const larger = await ask('POST', '/v1/recipes', { yaml: longest(400) });
    expect([larger.statusCode, larger.json().error.code]).toEqual([413, 'request_too_large']);
    const elsewhere = await ask('POST', '/v1/ssh_keys', { name: longest(64) });
    expect(elsewhere.statusCode).toBe(413);
  });

  it('with files of the largest size that are no text can be written and changed as YAML', async () => {
    const files = [128, 32].map((kib) => ({
      ...{ path: `/opt/${kib}`, content_base64: randomBytes(kib * 1024).toString('base64') },
    }));
    const script = `#!/bin/sh\n${'echo a line of a script\n'.repeat(1300)}`;
    const { id, yaml } = await write({ files, first_boot_script: script, packages: ['git', 'jq'] });
    const changed = await ask('PUT', `/v1/recipes/${id}`, { yaml: `${yaml}summary: again\n` });
    expect(changed.statusCode).toBe(200);
    expect(changed.json().recipe.files).toMatchObject(files);
    const larger = await ask('PUT', `/v1/recipes/${id}`, { yaml: `${yaml}#${'x'.repeat(100 * 1024)}\n` });
    expect(larger.json().error.details.fields).toMatchObject([
      { name: 'yaml', messages: [expect.stringContaining('at most 320 KiB: put large files')] },
    ]);
  });

  it('is refused with line and field where it came as YAML', async () => {
    const yaml =
      'name: bad\ncomponents: [nginx]\nfiles:\n  - path: /proc/x\n    content: hello\n    colour: red\n';
    const answer = await ask('POST', '/v1/recipes', { yaml });
    expect(answer.json().error.details.problems).toEqual([
      { field: 'files.0.colour', line: 6, message: 'is no field of a recipe' },
    ]);
    const second = await ask('POST', '/v1/recipes', { yaml: yaml.replace('    colour: red\n', '') });
    expect(second.json().error.details.problems).toMatchObject([{ field: 'files.0.path', line: 4 }]);
  });

  it('is written down in the audit', async () => {
    const { id } = await write();
    await ask('PUT', `/v1/recipes/${id}`, { summary: 'x' });
    await ask('DELETE', `/v1/recipes/${id}`);
    const rows = await api.current.dataSource.query(
      'SELECT action FROM audit_entries WHERE subject_id = $1 ORDER BY created_at',
      [id],
    );
    expect(rows.map(({ action }: { action: string }) => action)).toEqual([
      'recipe.create',
      'recipe.update',
      'recipe.delete',
    ]);
  });
});
