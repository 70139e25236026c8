import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { RecipeFault } from '#libs/contracts';
import { lineOfPath, whyNotPlain } from '#libs/contracts/recipe-text';

/** Where something stands in a recipe: `['files', 0, 'path']`. */
export type RecipePath = RecipeFault['path'];

/** Something that is wrong, and where: by its line from 1, and by its path. */
export interface RecipeProblem extends RecipeFault {
  readonly line: number;
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
  const lineOf = (path: RecipePath) => lineOfPath(yaml.contents, lines, path);
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
function badNodes(yaml: Document): RecipeFault[] {
  const problems: RecipeFault[] = [];
  const look = (node: unknown, path: RecipePath): void => {
    const message = whyNotPlain(node);
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
