import type { FieldProblem } from '#libs/kernel';
import { configInvalid } from './config.errors.ts';
import { type Environment, environmentSchema } from './environment.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Parses the environment. An empty variable counts as absent, as shells and compose files write it.
 *
 * @throws DomainError `config_invalid` that names every wrong variable.
 */
export function loadEnvironment(variables: Variables = process.env): Environment {
  const present = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(present);
  const problems = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        return { name, messages: [present[name] === undefined ? 'is missing' : issue.message] };
      });
  if (!parsed.success || problems.length > 0) throw configInvalid(merged(problems));
  return Object.freeze(parsed.data);
}

/** What no single variable can say of itself. */
function contradictions(environment: Environment): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (environment.STRIPE_API_PORT !== undefined && environment.STRIPE_API_HOST === undefined) {
    problems.push({ name: 'STRIPE_API_HOST', messages: ['is missing, though STRIPE_API_PORT is set'] });
  }
  if (environment.NODE_ENV === 'production') problems.push(...unfitForProduction(environment));
  return problems;
}

function unfitForProduction(environment: Environment): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (environment.STRIPE_API_HOST !== undefined) {
    problems.push({
      name: 'STRIPE_API_HOST',
      messages: ['names an emulator, which takes no money: unset it'],
    });
  }
  if (!environment.SERVERY_URL.startsWith('https:')) {
    problems.push({
      name: 'SERVERY_URL',
      messages: ['must be https in production: session cookies need it'],
    });
  }
  return problems;
}

function merged(problems: readonly FieldProblem[]): FieldProblem[] {
  const byName = new Map<string, string[]>();
  for (const { name, messages } of problems) byName.set(name, [...(byName.get(name) ?? []), ...messages]);
  return [...byName].map(([name, messages]) => ({ name, messages }));
}
