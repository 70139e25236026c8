import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CookWire, RecipeWire } from '#libs/contracts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { createRecipe, recipeQuery, startCook, updateRecipe } from '../../api/recipes.ts';

interface Saving {
  /** As it was saved last in this page; null: not yet. */
  readonly saved: RecipeWire | null;
  readonly save: (text: string) => void;
  /** Saves it where it was changed, and has it cooked. */
  readonly cook: (text: string) => void;
  readonly busyWith: 'save' | 'cook' | null;
  readonly error: Error | null;
}

interface SavingOptions {
  /** It is kept by the service from now on, whatever comes of its cook. */
  readonly onKept?: () => void;
  /** `sent`: the text that was saved; by now there may be another one. */
  readonly onSaved: (recipe: RecipeWire, sent: string) => void;
  readonly onCooking: (cook: CookWire, recipe: RecipeWire, sent: string) => void;
  readonly onRefused: (text: string, error: Error) => void;
}

/** Saves a recipe, and has it cooked. A repeated click makes no second one. */
export function useSaving(initial: RecipeWire | null, options: SavingOptions): Saving {
  const queryClient = useQueryClient();
  const [saved, setSaved] = useState(initial);
  const [keys, setKeys] = useState(newKeys);

  async function keep(text: string): Promise<RecipeWire> {
    if (saved && saved.yaml === text) return saved;
    const recipe = saved
      ? await updateRecipe(saved.id, text, saved.version)
      : await createRecipe(text, keys.recipe);
    setSaved(recipe);
    options.onKept?.();
    queryClient.setQueryData(recipeQuery(recipe.id).queryKey, recipe);
    return recipe;
  }

  const work = useMutation({
    mutationFn: async ({ text, cooks }: { text: string; cooks: boolean }) => {
      const recipe = await keep(text);
      return { recipe, cook: cooks ? await startCook(recipe.id, keys.cook) : null };
    },
    onSuccess: async ({ recipe, cook }, { text }) => {
      setKeys(newKeys());
      if (cook) options.onCooking(cook, recipe, text);
      else options.onSaved(recipe, text);
      await queryClient.invalidateQueries({ queryKey: ['recipes'] });
    },
    onError: (error, { text }) => {
      options.onRefused(text, error);
      // What was lost on the way may have arrived: it is asked for again by the same keys.
      if (!(error instanceof ApiError && error.code === 'network')) setKeys(newKeys());
    },
  });
  return {
    saved,
    save: (text) => work.mutate({ text, cooks: false }),
    cook: (text) => work.mutate({ text, cooks: true }),
    busyWith: work.isPending ? (work.variables.cooks ? 'cook' : 'save') : null,
    error: work.error,
  };
}

function newKeys() {
  return { recipe: newIdempotencyKey(), cook: newIdempotencyKey() };
}
