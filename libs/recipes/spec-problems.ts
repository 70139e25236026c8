import type { z } from 'zod';
import type { RecipeProblem } from './recipes.errors.ts';

/** What a schema has found, each unknown key by its own name. */
export function problemsIn(error: z.ZodError): RecipeProblem[] {
  return error.issues.flatMap((issue): RecipeProblem[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is no field of a recipe' }))
      : [{ path: issue.path, message: issue.message }],
  );
}
