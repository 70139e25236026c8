import { DomainError, type ErrorKind, type FieldProblem } from '#libs/kernel';

const CODES = {
  recipe_not_found: 'not_found',
  recipe_invalid: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type RecipeErrorCode = keyof typeof CODES;

/** A refusal of a recipe, or of a part of one, as it lies in the catalog. */
export function recipeError(
  code: RecipeErrorCode,
  message: string,
  fields: readonly FieldProblem[] = [],
): DomainError {
  return new DomainError(CODES[code], code, message, { fields });
}

/** @returns the refusal of what `name` holds, with every wrong field */
export function recipeInvalid(name: string, fields: readonly FieldProblem[]): DomainError {
  const lines = fields.map((field) => `  ${field.name}: ${field.messages.join('; ')}`);
  return recipeError('recipe_invalid', `The recipe ${name} is not usable:\n${lines.join('\n')}`, fields);
}
