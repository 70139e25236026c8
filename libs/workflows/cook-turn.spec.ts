import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { ProjectRecipe } from '#libs/recipes';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { takeTurn } from './cook-turn.ts';
import { askForCook, writeRecipe } from './harness/cooking.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';

let address: WorldAddress;
let world: ServerWorld;
beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

/** Cooks of a project of its own, in the order in which they are asked for, by their names: `A1`, `A2`… */
async function asked(project: string, count: number) {
  const { manager } = world.dataSource;
  const { accountId } = await manager.getRepository(Project).findOneByOrFail({});
  const projectId = newId();
  await manager.insert(Project, { id: projectId, accountId, name: project, createdAt: new Date() });
  const recipe = await writeRecipe(world);
  await manager.update(ProjectRecipe, { id: recipe.id }, { projectId });
  const cooks: Waiting[] = [];
  for (let nth = 1; nth <= count; nth += 1) {
    const { cook, action } = await askForCook(world, { ...recipe, projectId });
    const end = async () => {
      await world.cooks.cancel(projectId, cook.id);
      await runToEnd(world, 'cook-recipe', Number(action.sagaId), []);
    };
    cooks.push({ name: `${project}${nth}`, cookId: cook.id, end });
  }
  return cooks;
}

interface Waiting {
  readonly name: string;
  readonly cookId: number;
  readonly end: () => Promise<void>;
}

/** Those of which each asks for its turn once and gets it. */
async function served(waiting: readonly Waiting[], cooksAtOnce: number): Promise<Waiting[]> {
  const { recipes } = world.deps;
  const deps = { ...world.deps, recipes: { ...recipes, settings: { ...recipes.settings, cooksAtOnce } } };
  const got: Waiting[] = [];
  for (const one of waiting) {
    const { cookId } = one;
    const turn = await runInTransaction(world.dataSource, (manager) =>
      takeTurn(manager, { params: { cookId }, deps }),
    );
    if (turn) got.push(one);
  }
  return got;
}

/** The order in which cooks get their turn, those together that are at work together. */
async function rounds(waiting: readonly Waiting[], cooksAtOnce: number): Promise<string[][]> {
  const names: string[][] = [];
  let left = waiting;
  while (left.length > 0) {
    // As those that wait ask again and again.
    const now = new Set<Waiting>();
    for (let again = 0; again < cooksAtOnce; again += 1) {
      for (const one of await served(left, cooksAtOnce)) now.add(one);
    }
    expect(now.size).toBeGreaterThan(0);
    names.push([...now].map(({ name }) => name).toSorted());
    for (const one of now) await one.end();
    left = left.filter((one) => !now.has(one));
  }
  return names;
}

describe('turns of cooks', () => {
  it('go round the projects, however many one of them asks for first', async () => {
    const waiting = [...(await asked('A', 5)), ...(await asked('B', 2)), ...(await asked('C', 1))];
    expect((await rounds(waiting, 1)).flat()).toEqual(['A1', 'B1', 'C1', 'A2', 'B2', 'A3', 'A4', 'A5']);
  });

  it('are of different projects where several are at work at once', async () => {
    const waiting = [...(await asked('D', 3)), ...(await asked('E', 2)), ...(await asked('F', 1))];
    expect(await rounds(waiting, 2)).toEqual([
      ['D1', 'E1'],
      ['D2', 'F1'],
      ['D3', 'E2'],
    ]);
  });

  it('pass over one that was called off', async () => {
    const [[first], [second]] = [await asked('G', 1), await asked('H', 1)];
    if (!first || !second) throw new Error('two are asked for');
    const { projectId } = await world.dataSource
      .query('SELECT project_id AS "projectId" FROM cooks WHERE id = $1', [first.cookId])
      .then(([row]) => row);
    await world.cooks.cancel(projectId, first.cookId);
    expect((await served([second], 1)).map(({ name }) => name)).toEqual(['H1']);
    await second.end();
  });
});
