import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

type Json = { [key: string]: unknown };

interface Operation {
  responses: Record<string, { content?: { 'application/json'?: { schema: Json } } }>;
}

const file = new URL('../specs/hetzner-hcloud.openapi.json', import.meta.url);
const document = JSON.parse(readFileSync(file, 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
} & Json;

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat('decimal', /^-?\d+(\.\d+)?$/);
ajv.addSchema({ $id: 'hetzner', ...(toJsonSchema(document) as Json) });

const operations = Object.entries(document.paths).map(([path, methods]) => ({
  path,
  pattern: new RegExp(`^/v1${path.replace(/\{\w+\}/g, '[^/]+')}$`),
  methods,
}));
const validators = new Map<string, ValidateFunction>();

/**
 * Checks an answer against Hetzner's document, where that has the endpoint.
 * @throws Error that says what differs
 */
export function assertHetznerWireFormat(method: string, url: string, status: number, body: string): void {
  const path = url.split('?', 1)[0] ?? '';
  const found = operations.filter(({ pattern }) => pattern.test(path));
  // `/servers/actions` also looks like `/servers/{id}`; the path without placeholders is meant.
  const operation = found.toSorted((a, b) => placeholders(a.path) - placeholders(b.path))[0];
  const responses = operation?.methods[method.toLowerCase()]?.responses;
  if (!operation || !responses) return;
  const key = [String(status), `${Math.floor(status / 100)}xx`].find((candidate) => candidate in responses);
  if (!key) throw new Error(`${method} ${path} answered ${status}, which Hetzner's never does`);
  if (!responses[key]?.content) return;
  const pointer = `#/paths/${escaped(operation.path)}/${method.toLowerCase()}/responses/${key}/content/application~1json/schema`;
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `hetzner${pointer}` });
  validators.set(pointer, validate);
  if (!validate(JSON.parse(body))) {
    throw new Error(
      `${method} ${path} ${status} is not Hetzner's: ${ajv.errorsText(validate.errors)}\n${body}`,
    );
  }
}

/** True when Hetzner's document has this path of ours. */
export function isHetznerPath(method: string, path: string): boolean {
  return operations.some((one) => one.pattern.test(path) && method.toLowerCase() in one.methods);
}

function placeholders(path: string): number {
  return path.split('{').length;
}

function escaped(path: string): string {
  return encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** OpenAPI 3.0's `nullable` in words of JSON Schema. */
function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (node === null || typeof node !== 'object') return node;
  const { nullable, example: _, ...schema } = node as Json;
  const converted = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, toJsonSchema(value)]),
  );
  return nullable === true ? { anyOf: [{ type: 'null' }, converted] } : converted;
}
