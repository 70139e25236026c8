import { z } from 'zod';
import { errorResponse } from '#libs/contracts';
import type { DescribedEndpoint, EndpointParameter } from '../http/endpoints.ts';

type Json = { [key: string]: unknown };

const DEFINITIONS = '#/$defs/';
const COMPONENTS = '#/components/schemas/';

const accessText = {
  public: 'Anybody may call it.',
  read: 'Needs an API token or a session.',
  write: 'Needs a `read_write` API token or a session.',
  spend: "Needs a `read_write` API token or a session: it tells of the account's money.",
  session: 'Needs a session: API tokens may not.',
  operator: 'Needs the session of an operator.',
} as const;

/** The OpenAPI 3.1 document of the endpoints, made from the schemas that validate them. */
export class OpenApiDocument {
  private readonly schemas: Record<string, Json> = {};

  constructor(
    private readonly endpoints: readonly DescribedEndpoint[],
    private readonly serverUrl: string,
  ) {}

  build(): Json {
    const error = this.schemaOf(errorResponse, 'output');
    const paths: Record<string, Json> = {};
    for (const endpoint of this.endpoints) {
      const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
      paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: this.operation(endpoint, error) };
    }
    return {
      openapi: '3.1.0',
      info: {
        title: 'Servery',
        version: '1',
        description:
          'Order servers and run them. A superset of the Hetzner Cloud API: its clients work here by changing one URL.',
        license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
      },
      servers: [{ url: this.serverUrl }],
      paths,
      components: {
        schemas: this.schemas,
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'An API token of one project' },
          session: { type: 'apiKey', in: 'cookie', name: '__Host-servery_session' },
        },
      },
    };
  }

  private operation(endpoint: DescribedEndpoint, error: Json): Json {
    const body = endpoint.parameters.find(({ place }) => place === 'body');
    const parameters = endpoint.parameters.flatMap((parameter) => this.parametersOf(parameter));
    if (endpoint.idempotent) parameters.push(idempotencyKey);
    return {
      operationId: `${lowerFirst(endpoint.group)}_${endpoint.name}`,
      tags: [endpoint.group],
      summary: endpoint.summary,
      description: accessText[endpoint.access],
      security: securityOf(endpoint),
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(body ? { requestBody: { required: true, content: this.content(body.schema, 'input') } } : {}),
      responses: {
        [String(endpoint.status)]: {
          description: 'Done',
          ...(endpoint.response ? { content: this.content(endpoint.response, 'output') } : {}),
        },
        '4XX': { description: 'Refused', content: { 'application/json': { schema: error } } },
        '5XX': { description: 'Failed', content: { 'application/json': { schema: error } } },
      },
    };
  }

  private content(schema: z.ZodType, io: 'input' | 'output'): Json {
    const raw = schema instanceof z.ZodCustom;
    return { 'application/json': { schema: raw ? {} : this.schemaOf(schema, io) } };
  }

  private parametersOf({ place, schema }: EndpointParameter): Json[] {
    if (place === 'body' || !(schema instanceof z.ZodObject)) return [];
    const { properties = {}, required = [] } = this.schemaOf(schema, 'input') as {
      properties?: Record<string, Json>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, property]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: property,
    }));
  }

  /** The JSON Schema of a contract; what it names (`meta({ id })`) becomes a component. */
  private schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema: _,
      $defs,
      ...json
    } = relocated(z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }));
    Object.assign(this.schemas, $defs);
    if (typeof json.id !== 'string') return json;
    const { id, ...component } = json;
    this.schemas[id] = component;
    return { $ref: `${COMPONENTS}${id}` };
  }
}

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Repeating the request with the same key and body has no further effect and the same answer.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

function securityOf({ access }: DescribedEndpoint): Json[] {
  if (access === 'public') return [];
  const session = { session: [] };
  return access === 'session' || access === 'operator' ? [session] : [{ token: [] }, session];
}

function relocated(schema: object): Json {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? value.replace(DEFINITIONS, COMPONENTS) : value,
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
