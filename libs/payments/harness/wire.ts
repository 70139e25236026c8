import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parseForm } from '../emulator/form.ts';
import type { RecordedCall } from './recording-proxy.ts';

const specs = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../test/specs/${name}`, import.meta.url), 'utf8'));

interface Operation {
  readonly parameters?: readonly { in: string; name: string; required?: boolean; schema: object }[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
}
const spec: { paths: Record<string, Record<string, Operation>> } = specs(
  'stripe-spec3-2023-08-16.requests.json',
);
const fixtures: { resources: Record<string, object> } = specs('stripe-fixtures3.json');

/** Parameters newer than the document that we have: the client's own types have them. */
const NEWER_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '/v1/checkout/sessions': ['currency'],
};
/** Calls newer than that document. */
const NEWER_PATHS = [/^\/v1\/invoice_payments(\/|$)/, /^\/v1\/invoices\/[^/]+\/add_lines$/];

/** Fields of the examples that the client's types no longer have. */
const GONE = ['invoice.subscription'];

/** What is wrong with the requests of a recording, by Stripe's schemas of them. */
export function wrongRequests(calls: readonly RecordedCall[]): object[] {
  return calls.flatMap((call) => {
    const path = call.url.split('?')[0] ?? '';
    if (NEWER_PATHS.some((newer) => newer.test(path))) return [];
    const form = parseForm(call.method === 'GET' ? (call.url.split('?')[1] ?? '') : call.body);
    const [template, operation] = operationOf(call);
    const newer = NEWER_FIELDS[template] ?? [];
    const known = Object.fromEntries(Object.entries(form).filter(([name]) => !newer.includes(name)));
    const validate = validatorOf(call.method, template, operation);
    return validate(known) ? [] : [{ call: `${call.method} ${call.url}`, errors: validate.errors }];
  });
}

function operationOf(call: RecordedCall): [string, Operation] {
  const parts = (call.url.split('?')[0] ?? '').split('/');
  const found = Object.entries(spec.paths).find(([path]) => {
    const wanted = path.split('/');
    return (
      wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i])
    );
  });
  const operation = found?.[1][call.method.toLowerCase()];
  if (!found || !operation) throw new Error(`${call.method} ${call.url} is no call of Stripe's`);
  return [found[0], operation];
}

const ajv = new Ajv({ strict: false, coerceTypes: true, allErrors: true, validateFormats: false });
const validators = new Map<string, ValidateFunction>();

function validatorOf(method: string, path: string, operation: Operation): ValidateFunction {
  const name = `${method} ${path}`;
  const validator = validators.get(name) ?? ajv.compile(schemaOf(method, operation));
  validators.set(name, validator);
  return validator;
}

function schemaOf(method: string, operation: Operation): object {
  if (method !== 'GET')
    return operation.requestBody?.content['application/x-www-form-urlencoded']?.schema ?? {};
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(query.map((parameter) => [parameter.name, parameter.schema])),
  };
}

type Plain = Record<string, unknown>;

/** Where the objects of a recording differ from Stripe's examples, and which kinds of objects were there. */
export function wrongObjects(calls: readonly RecordedCall[]): { problems: string[]; kinds: string[] } {
  const objects = calls.flatMap((call) => objectsIn(call.answer));
  const problems = objects.flatMap((object) => differencesOf(String(object.object), object));
  const kinds = new Set(objects.map((object) => String(object.object)));
  return {
    problems: [...new Set(problems)].filter(
      (problem) => !GONE.some((gone) => problem.startsWith(`${gone}:`)),
    ),
    kinds: [...kinds].sort(),
  };
}

/** Stripe's example of an object, by its kind. */
export function exampleOf(kind: string): Plain {
  return fixtures.resources[kind] as Plain;
}

/** Where an object lacks a field of Stripe's example of its kind, or has one of another type. */
export function differencesOf(kind: string, actual: Plain): string[] {
  const example = actual.deleted === true ? fixtures.resources[`deleted_${kind}`] : fixtures.resources[kind];
  return differences(example, actual, kind);
}

/** Stripe's objects anywhere in an answer. */
function objectsIn(value: unknown): Plain[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (!isObject(value)) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return typeof value.object === 'string' && value.object !== 'list' ? [value, ...inner] : inner;
}

/**
 * Where `actual` lacks a field of `example`, or has one of another type. Null stands for what may be absent, and
 * an object of another `type` lacks the field that is named after the example's.
 */
function differences(example: unknown, actual: unknown, path: string): string[] {
  if (example === undefined) return [`${path}: no example`];
  if (example === null || actual === null) return [];
  if (Array.isArray(example) || Array.isArray(actual)) {
    return Array.isArray(example) === Array.isArray(actual) ? [] : [`${path}: not the same kind`];
  }
  if (typeof example === 'string' && isObject(actual)) return [];
  if (typeof example !== typeof actual) return [`${path}: ${typeof actual} instead of ${typeof example}`];
  if (!isObject(example) || !isObject(actual)) return [];
  if (path.endsWith('.metadata') || path === 'event.data') return [];
  if (example.object !== undefined && actual.object !== example.object) return [];
  const isOther = example.type !== actual.type;
  const names = Object.keys(example).filter((name) => !(isOther && name === example.type));
  return names.flatMap((name) =>
    name in actual
      ? differences(example[name], actual[name], `${path}.${name}`)
      : [`${path}.${name}: missing`],
  );
}

function isObject(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
