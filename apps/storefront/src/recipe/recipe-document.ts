import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from 'yaml';

/** Where something stands in a recipe: `['files', 0, 'path']`. */
export type RecipePath = readonly (string | number)[];

/** Something that is wrong, and where: by its line from 1, and by its path. */
export interface RecipeProblem {
  readonly line: number;
  readonly path: RecipePath;
  readonly message: string;
}

/** A recipe's text as YAML reads it. */
export interface RecipeDocument {
  readonly yaml: Document;
  /** What is wrong with it as YAML; where there is anything, the rest is not looked at. */
  readonly problems: readonly RecipeProblem[];
  /** The line of a path, or of the nearest above it that is there; from 1. */
  lineOf(path: RecipePath): number;
}

/** Reads YAML 1.2 as the API does: maps, lists, texts and numbers; no anchors, aliases or tags. Never fails. */
export function readDocument(text: string): RecipeDocument {
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    merge: false,
    logLevel: 'error',
    prettyErrors: false,
    lineCounter: lines,
  });
  const lineOf = (path: RecipePath) => lineIn(yaml, lines, path);
  const [error] = yaml.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    return { yaml, lineOf, problems: [{ line, path: [], message: error.message }] };
  }
  const isMapping = yaml.contents === null || isMap(yaml.contents);
  const bad = isMapping ? badNodes(yaml) : [{ path: [], message: 'must be keys and values' }];
  return { yaml, lineOf, problems: bad.map((problem) => ({ ...problem, line: lineOf(problem.path) })) };
}

/** What YAML can say and a recipe does not need. */
function badNodes(yaml: Document): { path: RecipePath; message: string }[] {
  const problems: { path: RecipePath; message: string }[] = [];
  const look = (node: unknown, path: RecipePath): void => {
    const message = problemOf(node);
    if (message !== undefined) problems.push({ path, message });
    else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) look(item, [...path, index]);
    } else if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (isScalar(key) && typeof key.value === 'string') look(value, [...path, key.value]);
        else problems.push({ path, message: 'has a key that is not plain text' });
      }
    }
  };
  look(yaml.contents, []);
  return problems;
}

function problemOf(node: unknown): string | undefined {
  if (isAlias(node)) return 'must be no alias (*): write it out';
  if (!isScalar(node) && !isCollection(node)) return undefined;
  if (node.anchor !== undefined) return 'must have no anchor (&)';
  return node.tag === undefined ? undefined : 'must have no tag (!)';
}

function lineIn(yaml: Document, lines: LineCounter, path: RecipePath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const start = startOf(yaml.contents, path.slice(0, length));
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}

/** Where the last key of a path begins, or the item of a list: there a reader looks for it. */
function startOf(root: unknown, path: RecipePath): number | undefined {
  let node = root;
  let found: unknown;
  for (const part of path) {
    if (isSeq(node) && typeof part === 'number') {
      node = found = node.items[part];
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      found = pair?.key;
      node = pair?.value;
    } else return undefined;
  }
  return isScalar(found) || isCollection(found) ? found.range?.[0] : undefined;
}
