import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  /** The folder of bases and components cannot be read. */
  catalog_unavailable: 'unavailable',
  recipe_not_found: 'not_found',
  recipe_version_not_found: 'not_found',
  recipe_invalid: 'invalid_input',
  recipe_name_taken: 'conflict',
  recipe_limit_reached: 'limit',
  /** It has another version by now than its owner has seen. */
  recipe_changed: 'conflict',
  /** It is being cooked. */
  recipe_being_cooked: 'conflict',
  cook_not_found: 'not_found',
  cook_limit_reached: 'limit',
  /** It has ended, or its image is being handed over. */
  cook_over: 'conflict',
  /** It has made no image (yet), or the image is gone. */
  cook_without_image: 'conflict',
  /** The server is of something else, or of that very image or a newer one; or has not the secrets that it needs. */
  upgrade_not_possible: 'conflict',
  /** What is different fits into no script. */
  upgrade_too_large: 'conflict',
} as const satisfies Record<string, ErrorKind>;

export type RecipesErrorCode = keyof typeof CODES;

/** Of what is wrong so much is told at once. */
const MOST_PROBLEMS = 20;

/** What is wrong with a recipe, and where: a path into it, such as `files`, 0, `path`. */
export interface RecipeProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export function recipesError(
  code: RecipesErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): DomainError {
  return new DomainError(CODES[code], code, message, { details });
}

export function recipeNotFound(id: number): DomainError {
  return recipesError('recipe_not_found', `there is no recipe ${id}`);
}

/**
 * The refusal of a recipe with all that is wrong in it. `lineOf`: the line of a path, from 1, where it came as text; then
 * `details.problems` has each with its line.
 */
export function recipeInvalid(
  problems: readonly RecipeProblem[],
  lineOf?: (path: readonly PropertyKey[]) => number,
): DomainError {
  const located = problems.slice(0, MOST_PROBLEMS).map(({ path, message }) => ({
    field: nameOf(path),
    message,
    ...(lineOf && { line: lineOf(path) }),
  }));
  const texts = located.map(({ field, message, line }) => ({
    name: field,
    messages: [line === undefined ? message : `line ${line}: ${message}`],
  }));
  const [first] = texts;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  return new DomainError(
    CODES.recipe_invalid,
    'recipe_invalid',
    `the recipe is not usable: ${first?.name}: ${first?.messages[0]}${more}`,
    { fields: texts, ...(lineOf && { details: { problems: located } }) },
  );
}

/** `files.0.path`, as the client wrote it. */
function nameOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || 'yaml';
}
