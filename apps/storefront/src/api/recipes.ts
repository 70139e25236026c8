import { queryOptions } from '@tanstack/react-query';
import {
  actionResponse,
  type CookWire,
  componentsResponse,
  cookListResponse,
  cookLogResponse,
  cookResponse,
  createCookResponse,
  recipeListResponse,
  recipeResponse,
  recipeVersionListResponse,
  rehearseUpgradeResponse,
  upgradeResponse,
} from '#libs/contracts';
import { call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';
import { readOn, type WholeText } from './slices.ts';

const COOKING_MS = 1_500;
const IDLE_MS = 30_000;

/** Bases and components that recipes are put together of, and what a recipe may have at most. */
export const partsQuery = queryOptions({
  queryKey: ['components'],
  queryFn: ({ signal }) => call('/components', componentsResponse, { signal }),
  staleTime: 60_000,
});

export function isCooking({ status }: Pick<CookWire, 'status'>): boolean {
  return status === 'waiting' || status === 'cooking';
}

/** The recipes of the project, the one changed last first. */
export const recipesQuery = queryOptions({
  queryKey: ['recipes'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) =>
        call(`/recipes?sort=updated:desc&per_page=${PER_PAGE}&page=${page}`, recipeListResponse, { signal }),
      (answer) => answer.recipes,
    ),
  refetchInterval: ({ state }) =>
    state.data?.some(({ newest_cook: cook }) => cook && isCooking(cook)) ? COOKING_MS : IDLE_MS,
});

export function recipeQuery(id: number) {
  return queryOptions({
    queryKey: ['recipes', id],
    queryFn: async ({ signal }) => (await call(`/recipes/${id}`, recipeResponse, { signal })).recipe,
  });
}

/** The versions of a recipe, the newest first. */
export function recipeVersionsQuery(id: number) {
  return queryOptions({
    queryKey: ['recipes', id, 'versions'],
    queryFn: ({ signal }) =>
      everyPage(
        (page) =>
          call(`/recipes/${id}/versions?per_page=${PER_PAGE}&page=${page}`, recipeVersionListResponse, {
            signal,
          }),
        (answer) => answer.versions,
      ),
  });
}

/** A recipe as it was in a version, which stays as it is. */
export function recipeVersionQuery(id: number, version: number) {
  return queryOptions({
    queryKey: ['recipes', id, 'versions', version],
    queryFn: async ({ signal }) =>
      (await call(`/recipes/${id}/versions/${version}`, recipeResponse, { signal })).recipe,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export async function createRecipe(yaml: string, idempotencyKey: string) {
  const options = { method: 'POST', body: { yaml }, idempotencyKey } as const;
  return (await call('/recipes', recipeResponse, options)).recipe;
}

/** Refused where somebody else has changed it since `version`. */
export async function updateRecipe(id: number, yaml: string, version: number) {
  const options = { method: 'PUT', body: { yaml, if_version: version } } as const;
  return (await call(`/recipes/${id}`, recipeResponse, options)).recipe;
}

export function deleteRecipe(id: number) {
  return call(`/recipes/${id}`, nothing, { method: 'DELETE' });
}

/** The cooks of a recipe, the newest first. */
export function recipeCooksQuery(id: number) {
  return queryOptions({
    queryKey: ['recipes', id, 'cooks'],
    queryFn: ({ signal }) =>
      everyPage(
        (page) =>
          call(`/recipes/${id}/cooks?sort=created:desc&per_page=${PER_PAGE}&page=${page}`, cookListResponse, {
            signal,
          }),
        (answer) => answer.cooks,
      ),
    refetchInterval: ({ state }) => (state.data?.some(isCooking) ? COOKING_MS : IDLE_MS),
  });
}

export function cookQuery(id: number) {
  return queryOptions({
    queryKey: ['cooks', id],
    queryFn: async ({ signal }) => (await call(`/cooks/${id}`, cookResponse, { signal })).cook,
    refetchInterval: ({ state }) => (state.data && !isCooking(state.data) ? false : COOKING_MS),
  });
}

/** All that a cook has printed so far. */
export function cookLogQuery(id: number) {
  return queryOptions({
    queryKey: ['cooks', id, 'log'],
    queryFn: ({ signal, client, queryKey }) =>
      readOn(client.getQueryData<WholeText>(queryKey), async (after) => {
        const { log } = await call(`/cooks/${id}/log?after=${after}`, cookLogResponse, { signal });
        return log;
      }),
    refetchInterval: ({ state }) => (state.data?.isEnd ? false : COOKING_MS),
  });
}

export async function startCook(recipeId: number, idempotencyKey: string) {
  const options = { method: 'POST', body: {}, idempotencyKey } as const;
  return (await call(`/recipes/${recipeId}/cooks`, createCookResponse, options)).cook;
}

export async function cancelCook(id: number) {
  const options = { method: 'POST', body: {}, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/cooks/${id}/actions/cancel`, actionResponse, options)).action;
}

/** What would make of a server of an older image of the recipe one of this cook's. */
export function upgradeQuery(cookId: number, serverId: number) {
  return queryOptions({
    queryKey: ['cooks', cookId, 'upgrade', serverId],
    queryFn: async ({ signal }) =>
      (await call(`/cooks/${cookId}/upgrade?server=${serverId}`, upgradeResponse, { signal })).upgrade,
    staleTime: 60_000,
  });
}

/** Tries that on a clone of the server. */
export async function rehearseUpgrade(cookId: number, serverId: number) {
  const options = {
    method: 'POST',
    body: { server: serverId },
    idempotencyKey: newIdempotencyKey(),
  } as const;
  return (await call(`/cooks/${cookId}/rehearsals`, rehearseUpgradeResponse, options)).rehearsal;
}
