import { beforeAll, describe, expect, it } from 'vitest';
import { suspendAccount } from '#libs/accounts';
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

async function newRecipe(more: object = {}): Promise<number> {
  owner = await newTenant(api.current, `owner-${count++}@example.com`);
  return (await ask('POST', '/v1/recipes', { name: 'shop', ...more })).json().recipe.id;
}

async function cook(recipeId: number, body: object = {}) {
  return ask('POST', `/v1/recipes/${recipeId}/cooks`, body);
}

describe('a cook', () => {
  it('is asked for with its action, of the newest version or another one', async () => {
    const id = await newRecipe();
    await ask('PUT', `/v1/recipes/${id}`, { packages: ['git'] });
    const answer = await cook(id);
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      cook: {
        recipe: { id, name: 'shop', version: 2 },
        status: 'waiting',
        stage: 'waiting',
        percent: 0,
        error: null,
        image: null,
        unchanged: null,
      },
      action: {
        command: 'cook_recipe',
        status: 'running',
        resources: [{ id: answer.json().cook.id, type: 'cook' }],
      },
    });
    expect((await cook(id, { version: 1 })).json().cook.recipe.version).toBe(1);
    expect((await cook(id, { version: 3 })).statusCode).toBe(404);
    const action = (await ask('GET', `/v1/actions/${answer.json().action.id}`)).json().action;
    expect(action.servery.steps.map((step: { name: string }) => step.name)).toEqual([
      'turn',
      'choose',
      'cook',
      'publish',
      'hand-over',
      'conclude',
    ]);
  });

  it('is listed with its recipe and among all, and the recipe tells of the newest', async () => {
    const id = await newRecipe();
    const first = (await cook(id)).json().cook;
    const second = (await cook(id)).json().cook;
    for (const path of [`/v1/recipes/${id}/cooks`, `/v1/cooks?recipe=${id}`, '/v1/cooks?status=waiting']) {
      const { cooks } = (
        await ask('GET', `${path}${path.includes('?') ? '&' : '?'}sort=created:desc`)
      ).json();
      expect(cooks.map((one: { id: number }) => one.id)).toEqual([second.id, first.id]);
    }
    const { recipe } = (await ask('GET', `/v1/recipes/${id}`)).json();
    expect(recipe.newest_cook).toEqual({ id: second.id, status: 'waiting', version: 1 });
    const { recipes } = (await ask('GET', '/v1/recipes')).json();
    expect(recipes).toMatchObject([{ id, newest_cook: { id: second.id } }]);
  });

  it('is refused beyond five that wait, and while its account may not order', async () => {
    const id = await newRecipe();
    for (let index = 0; index < 5; index += 1) expect((await cook(id)).statusCode).toBe(201);
    const sixth = await cook(id);
    expect([sixth.statusCode, sixth.json().error.details.reason]).toEqual([403, 'cook_limit_reached']);
    const other = await newRecipe();
    const { accountId } = owner;
    await suspendAccount(api.current.dataSource.manager, { accountId, reason: 'abuse', at: new Date() });
    expect((await cook(other)).json().error.details.reason).toBe('account_suspended');
  });

  it('is called off once, and its recipe is not deleted before', async () => {
    const id = await newRecipe();
    const { cook: made } = (await cook(id)).json();
    const busy = await ask('DELETE', `/v1/recipes/${id}`);
    expect([busy.statusCode, busy.json().error.details]).toEqual([
      409,
      { reason: 'recipe_being_cooked', cook: made.id },
    ]);
    const cancelled = await ask('POST', `/v1/cooks/${made.id}/actions/cancel`, {});
    expect([cancelled.statusCode, cancelled.json().action.command]).toEqual([201, 'cook_recipe']);
    await sql(`UPDATE sagas SET state = 'undone', finished_at = now() WHERE subject_id = $1`, [made.id]);
    await sql(`UPDATE cooks SET state = 'cancelled', finished_at = now() WHERE id = $1`, [made.id]);
    const again = await ask('POST', `/v1/cooks/${made.id}/actions/cancel`, {});
    expect([again.statusCode, again.json().error.details.reason]).toEqual([409, 'cook_over']);
    expect((await ask('DELETE', `/v1/recipes/${id}`)).statusCode).toBe(204);
    expect((await ask('GET', `/v1/cooks/${made.id}`)).json().cook.status).toBe('cancelled');
  });

  it('shows its log as it grows, in whole characters', async () => {
    const id = await newRecipe();
    const { cook: made } = (await cook(id)).json();
    const log = async (after: number) =>
      (await ask('GET', `/v1/cooks/${made.id}/log?after=${after}`)).json().log;
    expect(await log(0)).toEqual({ text: '', next: 0, is_end: false, cut_bytes: 0 });
    const text = 'Setting up nginx …\n'.repeat(5000);
    await sql('INSERT INTO cook_output VALUES ($1, 0, $2)', [made.id, Buffer.from(text)]);
    await sql(
      `UPDATE cooks SET kept_bytes = $2, state = 'failed', finished_at = now(), error_code = 'cook_packages_unknown',
         error_message = 'no', error_fields = '[{"name":"packages.0","messages":["no"]}]' WHERE id = $1`,
      [made.id, Buffer.byteLength(text)],
    );
    let read = '';
    for (let after = 0, isEnd = false; !isEnd; ) {
      const slice = await log(after);
      read += slice.text;
      [after, isEnd] = [slice.next, slice.is_end];
    }
    expect(read).toBe(text);
    expect((await ask('GET', `/v1/cooks/${made.id}`)).json().cook.error).toEqual({
      code: 'cook_packages_unknown',
      message: 'no',
      fields: [{ name: 'packages.0', messages: ['no'] }],
    });
  });
});
