import type { FieldProblem } from '#libs/kernel';
import { configInvalid } from './config.errors.ts';
import { type Environment, environmentSchema } from './environment.ts';

const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|([a-z0-9-]+\.)*localhost)$/;

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
  problems.push(...mailProblems(environment), ...plainHttp(environment));
  if (environment.NODE_ENV === 'production') problems.push(...emulatorInProduction(environment));
  return problems;
}

function mailProblems({ SMTP_URL, MAIL_FROM, ...environment }: Environment): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (SMTP_URL !== undefined && MAIL_FROM === undefined) {
    problems.push({ name: 'MAIL_FROM', messages: ['is missing, though SMTP_URL is set'] });
  }
  if (SMTP_URL === undefined && environment.SERVERY_REQUIRE_CONFIRMED_EMAIL) {
    const why = 'is missing, though SERVERY_REQUIRE_CONFIRMED_EMAIL is set: nobody could confirm an address';
    problems.push({ name: 'SMTP_URL', messages: [why] });
  }
  return problems;
}

/** The cookie is `Secure`, which browsers accept over https and, for want of a network in between, from loopback. */
function keepsSessionCookies(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || LOOPBACK.test(hostname);
}

function plainHttp({ NODE_ENV, SERVERY_URL }: Environment): FieldProblem[] {
  const isFit =
    NODE_ENV === 'production' ? SERVERY_URL.startsWith('https:') : keepsSessionCookies(SERVERY_URL);
  if (isFit) return [];
  const why = 'must be https, for over plain http browsers drop the session cookie and nobody can sign in';
  const advice = 'put a reverse proxy with a certificate in front, and set this to its https address';
  return [{ name: 'SERVERY_URL', messages: [`${why}: ${advice}`] }];
}

function emulatorInProduction(environment: Environment): FieldProblem[] {
  if (environment.STRIPE_API_HOST === undefined) return [];
  return [{ name: 'STRIPE_API_HOST', messages: ['names an emulator, which takes no money: unset it'] }];
}

function merged(problems: readonly FieldProblem[]): FieldProblem[] {
  const byName = new Map<string, string[]>();
  for (const { name, messages } of problems) byName.set(name, [...(byName.get(name) ?? []), ...messages]);
  return [...byName].map(([name, messages]) => ({ name, messages }));
}
