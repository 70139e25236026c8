import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import type { FieldProblem } from '#libs/kernel';
import { ApiError } from './api-error.ts';

/** Refuses what a schema refuses, naming every wrong field. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => toInvalidInput(issues as readonly z.core.$ZodIssue[]) });
  }
}

/** One error for all issues; `unsupported_error` when the request only asks for what is not there yet. */
export function toInvalidInput(issues: readonly z.core.$ZodIssue[]): ApiError {
  const fields = merged(issues.flatMap(problemsOf));
  const unsupported = issues.every(
    (issue) => issue.code === 'custom' && issue.params?.reason === 'unsupported',
  );
  const first = fields[0];
  const message = first ? `invalid input in field '${first.name}': ${first.messages[0]}` : 'invalid input';
  return new ApiError(unsupported ? 'unsupported_error' : 'invalid_input', message, { fields });
}

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return closestOf(issue.errors).flatMap((one) =>
      problemsOf({ ...one, path: [...issue.path, ...one.path] }),
    );
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ name: [...path, key].join('.'), messages: ['is not a known field'] }));
  }
  const name = path.length > 0 ? path.join('.') : 'body';
  return [{ name, messages: [isMissing(issue) ? 'is missing' : issue.message] }];
}

/** What stands in the way of the choice that was meant: the one of the right type, or the first. */
function closestOf(choices: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const isOfType = (issues: readonly z.core.$ZodIssue[]) =>
    issues.every(({ code, path }) => code !== 'invalid_type' || path.length > 0);
  return choices.find(isOfType) ?? choices[0] ?? [];
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return (
    issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined')
  );
}

function merged(problems: readonly FieldProblem[]): FieldProblem[] {
  const byName = Map.groupBy(problems, ({ name }) => name);
  return [...byName].map(([name, same]) => ({ name, messages: same.flatMap(({ messages }) => messages) }));
}
