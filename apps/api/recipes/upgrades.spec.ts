import { beforeAll, describe, expect, it } from 'vitest';
import { Image, ImageContentsService, ImagesService } from '#libs/images';
import { HostsService } from '#libs/placement';
import { composeRecipe, imageParts, loadVersion, Shelf } from '#libs/recipes';
import { ScriptVault } from '#libs/rehearsals';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let owner: Tenant;
let count = 0;

const ask = (method: string, path: string, body?: unknown, token = owner.token) =>
  api.current.request(method, path, { token, ...(body === undefined ? {} : { body }) });
const sql = <T = unknown>(text: string, values: unknown[] = []) =>
  api.current.dataSource.query<T[]>(text, values);

beforeAll(async () => {
  await stockMarketplace(api.current);
});

interface Cooked {
  readonly cook: number;
  readonly image: number;
}

/** A recipe of a tenant of its own. */
async function newRecipe(more: object = {}): Promise<number> {
  owner = await newTenant(api.current, `owner-${count++}@example.com`);
  return (await ask('POST', '/v1/recipes', { name: 'shop', ...more })).json().recipe.id;
}

const OLD = { nginx: '1.22.1-9', 'old-tool': '1.0' };
const NEW = { nginx: '1.22.1-9+deb12u1', jq: '1.6-2.1' };

/** The newest version of a recipe, as the workflow leaves it when it has brought its image to the hosts. */
async function cooked(recipeId: number, packages: Readonly<Record<string, string>>): Promise<Cooked> {
  const { manager } = api.current.dataSource;
  const { cook } = (await ask('POST', `/v1/recipes/${recipeId}/cooks`, {})).json();
  const { spec } = await loadVersion(manager, recipeId, cook.recipe.version);
  const { recipe, appliance } = composeRecipe(spec, await api.current.get<Shelf>(Shelf).stock());
  const image = 7000 + ++count;
  await manager.getRepository(Image).insert({
    ...{ id: image, name: `recipe-${image}`, type: 'snapshot', volumeName: `recipe-${image}.qcow2` },
    ...{ sha256: image.toString(16).padStart(64, '0'), fileSizeBytes: 1, virtualSizeBytes: 4 * 1024 ** 3 },
    ...{ appliance, packageCount: Object.keys(packages).length, status: 'available', labels: {} },
    ...{ projectId: owner.projectId, recipeId, recipeVersion: cook.recipe.version, cookId: cook.id },
    description: appliance.title,
  });
  await api.current.get<ImageContentsService>(ImageContentsService).keep(manager, image, {
    packages: Object.entries(packages).map(([name, version]) => ({
      ...{ name, version, architecture: 'amd64', source: name, sha256: 'd'.repeat(64) },
    })),
    sbom: '{}',
  });
  for (const { id } of await api.current.get<HostsService>(HostsService).all()) {
    await api.current.get<ImagesService>(ImagesService).recordOnHost(manager, image, id);
  }
  await sql(
    `UPDATE cooks SET state = 'available', finished_at = now(), image_id = $2, parts = $3 WHERE id = $1`,
    [cook.id, image, JSON.stringify(imageParts(recipe))],
  );
  return { cook: cook.id, image };
}

/** A server, as the workflow leaves one that it has handed over. */
async function readyServer(image: number | string): Promise<number> {
  const body = { name: `server-${count++}`, server_type: 's1', image };
  const { id } = (await ask('POST', '/v1/servers', body)).json().server;
  await sql(
    `UPDATE servers SET ready_at = now(), observed = 'running', host_id = (SELECT id FROM hosts) WHERE id = $1`,
    [id],
  );
  await sql(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [id]);
  return id;
}

/** A recipe that was cooked, changed and cooked again, and a server of the image before. */
async function oldServer(before: object = {}, after: object = { packages: ['jq'] }) {
  const recipe = await newRecipe(before);
  const old = await cooked(recipe, OLD);
  const server = await readyServer(old.image);
  expect((await ask('PUT', `/v1/recipes/${recipe}`, after)).statusCode).toBe(200);
  return { recipe, server, old, new: await cooked(recipe, NEW) };
}

const upgrade = (cook: number, server: number, token = owner.token) =>
  ask('GET', `/v1/cooks/${cook}/upgrade?server=${server}`, undefined, token);
const rehearse = (cook: number, server: number, more: object = {}) =>
  ask('POST', `/v1/cooks/${cook}/rehearsals`, { server, ...more });

/** By both ways; and nothing of a rehearsal is left. */
async function refusal(cook: number, server: number): Promise<{ status: number; reason: string }> {
  const [shown, rehearsed] = [await upgrade(cook, server), await rehearse(cook, server)];
  expect(rehearsed.statusCode).toBe(shown.statusCode);
  expect(rehearsed.json().error).toEqual(shown.json().error);
  expect((await ask('GET', '/v1/rehearsals')).json().rehearsals).toEqual([]);
  return { status: shown.statusCode, reason: shown.json().error.details.reason };
}

const files = (contents: Readonly<Record<string, string>>) =>
  Object.entries(contents).map(([path, content]) => ({ path, content }));

describe('the upgrade of a server', () => {
  it('is what is different between its image and the new one, with a script that does it', async () => {
    const made = await oldServer(
      { files: files({ '/etc/same': 'same', '/etc/changed': 'old', '/etc/gone': 'gone' }) },
      { components: ['nginx'], files: files({ '/etc/same': 'same', '/etc/changed': 'new' }) },
    );
    const answer = await upgrade(made.new.cook, made.server, owner.readToken);
    expect(answer.statusCode).toBe(200);
    const { changes, script, ...of } = answer.json().upgrade;
    expect(of).toEqual({ server: made.server, from_image: made.old.image, to_image: made.new.image });
    expect(changes.packages).toEqual([
      { name: 'jq', before: null, after: '1.6-2.1' },
      { name: 'nginx', before: '1.22.1-9', after: '1.22.1-9+deb12u1' },
      { name: 'old-tool', before: '1.0', after: null },
    ]);
    expect(changes.files).toMatchObject({ removed: ['/etc/gone'], changed: ['/etc/changed'] });
    expect(changes.files.added).toContain('/etc/nginx/sites-available/default');
    for (const part of ["'nginx=1.22.1-9+deb12u1'", "'/etc/changed'", "'nginx.service'"]) {
      expect(script).toContain(part);
    }
    expect(script).toContain(Buffer.from('new').toString('base64'));
    expect(script).not.toContain('/etc/same');
  });

  it('is known where the new cook has found that nothing has changed since', async () => {
    const made = await oldServer();
    const { cook } = (await ask('POST', `/v1/recipes/${made.recipe}/cooks`, {})).json();
    await sql(
      `UPDATE cooks SET state = 'available', finished_at = now(), image_id = $2, is_unchanged = true WHERE id = $1`,
      [cook.id, made.new.image],
    );
    const [first, again] = [await upgrade(made.new.cook, made.server), await upgrade(cook.id, made.server)];
    expect(again.json()).toEqual(first.json());
  });

  it('is rehearsed with that very script, and checked as the new image is', async () => {
    const health = [{ type: 'tcp', port: 8443 }];
    const made = await oldServer({}, { packages: ['jq'], health });
    const ofBase = { type: 'tcp', port: 22 };
    const { script } = (await upgrade(made.new.cook, made.server)).json().upgrade;
    const answer = await rehearse(made.new.cook, made.server, { timeout_seconds: 60, keep_clone_hours: 2 });
    expect(answer.statusCode).toBe(201);
    const { rehearsal, action } = answer.json();
    expect(rehearsal).toMatchObject({
      server: made.server,
      status: 'rehearsing',
      health_checks: [ofBase, ...health],
      timeout_seconds: 60,
    });
    expect(action).toMatchObject({
      command: 'rehearse_server',
      resources: [{ id: rehearsal.id, type: 'rehearsal' }],
    });
    const scripts = api.current.get<ScriptVault>(ScriptVault);
    expect(await scripts.read(api.current.dataSource.manager, rehearsal.id)).toBe(script);
    const clone = (await ask('GET', `/v1/servers/${rehearsal.clone.server}`)).json().server;
    expect(clone.name).toBe(`rehearsal-${rehearsal.id}`);
    const audited = await sql('SELECT action FROM audit_entries WHERE subject_id = $1', [rehearsal.id]);
    expect(audited).toEqual([{ action: 'rehearsal.create' }]);
  });

  it('is rehearsed once, however often it is asked for under one key', async () => {
    const made = await oldServer();
    const options = {
      ...{ token: owner.token, body: { server: made.server } },
      headers: { 'idempotency-key': `upgrade-${count++}` },
    };
    const path = `/v1/cooks/${made.new.cook}/rehearsals`;
    const ids = [];
    for (let time = 0; time < 2; time += 1) {
      const answer = await api.current.request('POST', path, options);
      expect(answer.statusCode).toBe(201);
      ids.push(answer.json().rehearsal.id);
    }
    expect(ids[1]).toBe(ids[0]);
    expect((await ask('GET', '/v1/rehearsals')).json().rehearsals).toHaveLength(1);
  });

  it('is rehearsed of a server that runs, and one at a time', async () => {
    const made = await oldServer();
    await sql(`UPDATE servers SET observed = 'off' WHERE id = $1`, [made.server]);
    const off = await rehearse(made.new.cook, made.server);
    expect([off.statusCode, off.json().error.details.reason]).toEqual([409, 'server_must_run']);
    expect((await upgrade(made.new.cook, made.server)).statusCode).toBe(200);
    await sql(`UPDATE servers SET observed = 'running' WHERE id = $1`, [made.server]);
    expect((await rehearse(made.new.cook, made.server)).statusCode).toBe(201);
    await sql(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [made.server]);
    const second = await rehearse(made.new.cook, made.server);
    expect([second.statusCode, second.json().error.details.reason]).toEqual([423, 'rehearsal_under_way']);
  });
});

describe('an upgrade is refused', () => {
  const NOT_POSSIBLE = { status: 409, reason: 'upgrade_not_possible' };

  it('to what the server was made of, and of one that was made of something else', async () => {
    const made = await oldServer();
    expect(await refusal(made.old.cook, made.server)).toEqual(NOT_POSSIBLE);
    expect(await refusal(made.new.cook, await readyServer('web'))).toEqual(NOT_POSSIBLE);
  });

  it('while there is no image, and when it is gone', async () => {
    const made = await oldServer();
    const { cook: waiting } = (await ask('POST', `/v1/recipes/${made.recipe}/cooks`, {})).json();
    const withoutImage = { status: 409, reason: 'cook_without_image' };
    expect(await refusal(waiting.id, made.server)).toEqual(withoutImage);
    await sql('UPDATE images SET deleted_at = now() WHERE id = $1', [made.new.image]);
    expect(await refusal(made.new.cook, made.server)).toEqual(withoutImage);
  });

  it('where it is not known any more what an image was made of', async () => {
    const forgotten = await oldServer();
    await sql('UPDATE images SET cook_id = NULL WHERE id = $1', [forgotten.old.image]);
    expect(await refusal(forgotten.new.cook, forgotten.server)).toEqual(NOT_POSSIBLE);
    const unlisted = await oldServer();
    await sql('DELETE FROM image_sboms WHERE image_id = $1', [unlisted.old.image]);
    expect(await refusal(unlisted.new.cook, unlisted.server)).toMatchObject({
      reason: 'image_packages_unknown',
    });
  });

  it('where the catalog has other files by now than the image', async () => {
    const made = await oldServer({}, { components: ['nginx'] });
    await sql(
      `UPDATE cooks SET parts = jsonb_set(parts, '{files,/etc/nginx/sites-available/default}', '"other"') WHERE id = $1`,
      [made.new.cook],
    );
    expect(await refusal(made.new.cook, made.server)).toEqual(NOT_POSSIBLE);
  });

  it('where what is different fits into no script', async () => {
    const made = await oldServer({}, { files: files({ '/etc/large': 'x'.repeat(60 * 1024) }) });
    expect(await refusal(made.new.cook, made.server)).toEqual({ status: 409, reason: 'upgrade_too_large' });
  });

  it('of a server, or to a cook, that is not there, or another customer’s', async () => {
    const theirs = await oldServer();
    const ours = await oldServer();
    const noServer = { status: 404, reason: 'server_not_found' };
    expect(await refusal(ours.new.cook, theirs.server)).toEqual(noServer);
    expect(await refusal(ours.new.cook, 4711)).toEqual(noServer);
    const noCook = { status: 404, reason: 'cook_not_found' };
    expect(await refusal(theirs.new.cook, ours.server)).toEqual(noCook);
    expect(await refusal(theirs.new.cook, theirs.server)).toEqual(noCook);
    await sql('UPDATE servers SET deleted_at = now() WHERE id = $1', [ours.server]);
    expect(await refusal(ours.new.cook, ours.server)).toEqual(noServer);
  });

  it('to the same customer in another project', async () => {
    const made = await oldServer();
    const { cookie } = owner;
    const { project } = (
      await api.current.request('POST', '/v1/projects', { cookie, body: { name: 'other' } })
    ).json();
    const inIt = { cookie, headers: { 'x-servery-project': String(project.id) } };
    const path = `/v1/cooks/${made.new.cook}`;
    for (const answer of [
      await api.current.request('GET', `${path}/upgrade?server=${made.server}`, inIt),
      await api.current.request('POST', `${path}/rehearsals`, { ...inIt, body: { server: made.server } }),
    ]) {
      expect([answer.statusCode, answer.json().error.details.reason]).toEqual([404, 'cook_not_found']);
    }
  });

  it('to a token that may only read, where it would be rehearsed', async () => {
    const made = await oldServer();
    const body = { server: made.server };
    const answer = await ask('POST', `/v1/cooks/${made.new.cook}/rehearsals`, body, owner.readToken);
    expect([answer.statusCode, answer.json().error.code]).toEqual([403, 'token_readonly']);
    expect((await ask('GET', '/v1/rehearsals')).json().rehearsals).toEqual([]);
  });

  it.each<[what: string, query: string, field: string]>([
    ['no server', '', 'server'],
    ['a server by its name', '?server=shop', 'server'],
    ['a server that is none', '?server=0', 'server'],
    ['a server beyond all numbers', '?server=9007199254740993', 'server'],
    ['two servers', '?server=1&server=2', 'server'],
    ['an unknown parameter', '?server=1&colour=red', 'colour'],
  ])('with %s', async (_, query, field) => {
    const { new: to } = await oldServer();
    const answer = await ask('GET', `/v1/cooks/${to.cook}/upgrade${query}`);
    expect([answer.statusCode, answer.json().error.code]).toEqual([422, 'invalid_input']);
    expect(answer.json().error.details.fields[0].name).toBe(field);
  });

  it('with a rehearsal that is none, by its field', async () => {
    const made = await oldServer();
    for (const [more, field] of [
      [{ server: undefined }, 'server'],
      [{ server: String(made.server) }, 'server'],
      [{ server: -1 }, 'server'],
      [{ timeout_seconds: 0 }, 'timeout_seconds'],
      [{ timeout_seconds: 7201 }, 'timeout_seconds'],
      [{ keep_clone_hours: 169 }, 'keep_clone_hours'],
      [{ script: 'rm -rf /' }, 'script'],
    ] as const) {
      const answer = await rehearse(made.new.cook, made.server, more);
      expect([answer.statusCode, answer.json().error.code]).toEqual([422, 'invalid_input']);
      expect(answer.json().error.details.fields[0].name).toBe(field);
    }
    expect((await ask('GET', '/v1/rehearsals')).json().rehearsals).toEqual([]);
    expect((await ask('GET', '/v1/cooks/shop/upgrade?server=1')).statusCode).toBe(422);
  });
});
