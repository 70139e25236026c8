import { z } from 'zod';
import { invalid, StripeProblem } from './problem.ts';

/** A form field: text, or what brackets nest into it. */
export type FormValue = string | FormValue[] | { [key: string]: FormValue };
export type Form = { [key: string]: FormValue };

const MAX_DEPTH = 6;

/** Parses `a[b][0]=c&d=e` into nested objects and arrays, as Stripe reads bodies and queries. */
export function parseForm(text: string): Form {
  const root: Form = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const path = [...name.matchAll(/^[^[]+|\[([^\]]*)\]/g)].map((part) => part[1] ?? part[0]);
    if (path.length === 0 || path.length > MAX_DEPTH)
      throw invalid(`Invalid parameter name: ${name.slice(0, 80)}`);
    assign(root, path, value);
  }
  return Object.fromEntries(Object.entries(root).map(([key, value]) => [key, arraysOf(value)]));
}

function assign(root: Form, path: string[], value: string): void {
  let node: Form = root;
  path.slice(0, -1).forEach((key, depth) => {
    const child = node[key] ?? Object.create(null);
    if (typeof child === 'string')
      throw invalid('Invalid object', { param: path.slice(0, depth + 1).join('.') });
    node[key] = child;
    node = child as Form;
  });
  const last = path.at(-1) as string;
  node[last === '' ? String(Object.keys(node).length) : last] = value;
}

/** An object whose keys are 0, 1, 2… is an array. */
function arraysOf(value: FormValue): FormValue {
  if (typeof value === 'string') return value;
  const entries = Object.entries(value).map(([key, child]) => [key, arraysOf(child)] as const);
  const isArray = entries.length > 0 && entries.every(([key], index) => key === String(index));
  return isArray ? entries.map(([, child]) => child) : Object.fromEntries(entries);
}

/** Field types of Stripe's requests, read from text. */
export const text = z.string().max(5000);
export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, 'Invalid integer')
  .transform(Number);
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const metadata = z.union([z.record(z.string().max(40), z.string().max(500)), z.literal('')]);
export const expand = z.array(text).max(20);
export const page = {
  limit: integer.refine((limit) => limit >= 1 && limit <= 100, 'Limit must be between 1 and 100').optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
  expand: expand.optional(),
};
export const range = z.union([
  integer,
  z.strictObject({
    gt: integer.optional(),
    gte: integer.optional(),
    lt: integer.optional(),
    lte: integer.optional(),
  }),
]);

/** The shape of a request: its keys must be keys that Stripe's own type has. */
export type ShapeOf<P> = { [K in keyof P]?: z.ZodType };

/** Checks a form against a shape. @throws StripeProblem in Stripe's words for missing, unknown, malformed. */
export function check<S extends z.ZodObject>(schema: S, form: Form): z.infer<S> {
  const result = schema.safeParse(form);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  throw problemOf(issue, form);
}

function problemOf(issue: z.core.$ZodIssue, form: Form): StripeProblem {
  if (issue.code === 'unrecognized_keys') {
    const param = paramName([...issue.path, issue.keys[0] ?? '']);
    return invalid(`Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  const param = paramName(issue.path);
  if (issue.path.length === 1 && form[String(issue.path[0])] === undefined) {
    return invalid(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
  }
  const code = issue.message === 'Invalid integer' ? 'parameter_invalid_integer' : 'parameter_invalid';
  return invalid(`Invalid ${param}: ${issue.message}`, { code, param });
}

function paramName(path: PropertyKey[]): string {
  const [head, ...rest] = path.map(String);
  return `${head ?? ''}${rest.map((part) => `[${part}]`).join('')}`;
}
