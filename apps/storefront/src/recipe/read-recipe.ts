import type { z } from 'zod';
import {
  type HealthCheckWire,
  type RecipeFault,
  type RecipeSpec,
  recipeSpec,
  type UnitList,
  whyYamlTooLarge,
} from '#libs/contracts';
import { type RecipePath, type RecipeProblem, readDocument } from './recipe-document.ts';

/** The first version of the format may be named, as it is in what the service prints. */
const FORMAT_VERSION = 1;

export type RecipeFileDraft = Partial<RecipeSpec['files'][number]> & { readonly path: string };
export type RecipePortDraft = RecipeSpec['ports'][number];

/**
 * What a form can show of a recipe that is being written, right or not: what is missing or of another kind is as if it were
 * left out. Items of lists stay where they are.
 */
export interface RecipeDraft {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly base: string;
  readonly components: readonly string[];
  readonly packages: readonly string[];
  readonly files: readonly RecipeFileDraft[];
  readonly services: Readonly<Record<UnitList, readonly string[]>>;
  readonly firstBootScript: string;
  readonly ports: readonly RecipePortDraft[];
  readonly health: readonly HealthCheckWire[];
  readonly memoryMib: number;
  readonly diskGib: number;
}

export interface ReadRecipe {
  /** Undefined where the text is no YAML: a form has nothing to show then. */
  readonly draft: RecipeDraft | undefined;
  /** The whole recipe; undefined while a field is wrong. */
  readonly spec: RecipeSpec | undefined;
  /** What is wrong with text and fields, by line. */
  readonly problems: readonly RecipeProblem[];
  lineOf(path: RecipePath): number;
}

/** Reads a recipe as it is being written. Never fails. */
export function readRecipe(text: string): ReadRecipe {
  const { yaml, problems, lineOf } = readDocument(text);
  if (problems.length > 0) return { draft: undefined, spec: undefined, problems, lineOf };
  const { schema = FORMAT_VERSION, ...fields } = record(yaml.toJS());
  const parsed = recipeSpec.safeParse(fields);
  const tooLarge = whyYamlTooLarge(text);
  const found = [
    ...(tooLarge === undefined ? [] : [{ path: [], message: tooLarge }]),
    ...(schema === FORMAT_VERSION ? [] : [{ path: ['schema'], message: `must be ${FORMAT_VERSION}` }]),
    ...(parsed.success ? [] : parsed.error.issues.flatMap(problemsOf)),
  ];
  return {
    draft: draftOf(fields),
    spec: found.length === 0 ? parsed.data : undefined,
    problems: found
      .map((problem) => ({ ...problem, line: lineOf(problem.path) }))
      .toSorted((a, b) => a.line - b.line),
    lineOf,
  };
}

/** What a schema has found, each unknown key by its own name. */
function problemsOf(issue: z.core.$ZodIssue): RecipeFault[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: 'is no field of a recipe' }));
}

function draftOf(fields: Readonly<Record<string, unknown>>): RecipeDraft {
  const minimum = record(fields.minimum);
  const services = record(fields.services);
  const units = (key: UnitList) => list(services[key]).map((one) => text(one));
  return {
    name: text(fields.name),
    title: text(fields.title),
    summary: text(fields.summary),
    base: text(fields.base, 'debian-12'),
    components: list(fields.components).map((one) => text(one)),
    packages: list(fields.packages).map((one) => text(one)),
    files: list(fields.files).map(record).map(fileDraft),
    services: { enable: units('enable'), disable: units('disable'), mask: units('mask') },
    firstBootScript: text(fields.first_boot_script),
    ports: list(fields.ports).map(record).map(portDraft),
    health: list(fields.health).map(record).map(checkDraft),
    memoryMib: number(minimum.memory_mib, 512),
    diskGib: number(minimum.disk_gib, 4),
  };
}

function fileDraft({ path, content, content_base64: encoded, mode, owner, group }: Fields): RecipeFileDraft {
  return {
    path: text(path),
    ...(typeof content === 'string' && { content }),
    ...(typeof encoded === 'string' && { content_base64: encoded }),
    mode: text(mode, '0644'),
    owner: text(owner, 'root'),
    group: text(group, 'root'),
  };
}

export const PROTOCOLS: readonly RecipePortDraft['protocol'][] = ['tcp', 'udp', 'http', 'https', 'ssh'];

function portDraft({ name, port, protocol }: Fields): RecipePortDraft {
  const known = PROTOCOLS.find((one) => one === protocol);
  return { name: text(name), port: number(port, 0), protocol: known ?? 'tcp' };
}

function checkDraft({ type, port, path, status }: Fields): HealthCheckWire {
  if (type !== 'http') return { type: 'tcp', port: number(port, 0) };
  return { type, port: number(port, 0), path: text(path, '/'), status: number(status, 200) };
}

type Fields = Readonly<Record<string, unknown>>;

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
