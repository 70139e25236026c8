import { DomainError, type FieldProblem } from '#libs/kernel';

export type ConfigErrorCode = 'config_invalid';

/** Names every wrong variable at once, with what to do about each. Values stay out: they may be secrets. */
export function configInvalid(problems: readonly FieldProblem[]): DomainError {
  const lines = problems.map((problem) => `  ${problem.name}: ${problem.messages.join('; ')}`);
  return new DomainError(
    'invalid_input',
    'config_invalid' satisfies ConfigErrorCode,
    `The environment is not complete:\n${lines.join('\n')}\n.env.example describes every variable.`,
    { fields: problems },
  );
}
