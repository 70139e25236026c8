import { Document, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Scalar, visit } from 'yaml';
import { z } from 'zod';
import { isBlankText, type RecipeSpec, recipeSpec, whyYamlTooLarge } from '#libs/contracts';
import { lineOfPath, whyNotPlain } from '#libs/contracts/recipe-text';
import { type RecipeProblem, recipeInvalid } from './recipes.errors.ts';
import { problemsIn } from './spec-problems.ts';

/** Far more than the limits of a recipe let it have. */
const MAX_TOKENS = 10_000;
const MAX_DEPTH = 8;

/** The version of this format stands in each document that is printed; one without it is of the first. */
const document = recipeSpec.extend({ schema: z.literal(1).optional() });

/** A recipe that came as YAML, and where its parts stand there. */
export interface ParsedRecipe {
  readonly spec: RecipeSpec;
  /** The line of a path, or of the nearest that is there; from 1. */
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Reads YAML 1.2 of maps, lists, texts and numbers. Anchors, aliases, tags, directives and more than one document are
 * refused, as is what is too large to be a recipe.
 * @throws DomainError `recipe_invalid` with line and field of all that is wrong
 */
export function parseRecipeYaml(source: string): ParsedRecipe {
  const tooLarge = whyYamlTooLarge(source);
  if (tooLarge !== undefined) throw recipeInvalid([{ path: [], message: tooLarge }]);
  assertModest(source);
  const lines = new LineCounter();
  const parsed = compose(source, lines);
  const lineOf = (path: readonly PropertyKey[]) => lineOfPath(parsed.contents, lines, path);
  refuse(badNodes(parsed), lineOf);
  const result = document.safeParse(parsed.toJS());
  if (!result.success) throw recipeInvalid(problemsIn(result.error), lineOf);
  const { schema: _, ...spec } = result.data;
  return { spec, lineOf };
}

/** The one way to write a recipe: what is as it would be without being said is left out. Reading it gives the same recipe. */
export function printRecipeYaml(spec: RecipeSpec): string {
  const { services, first_boot_script: script, title, minimum, ...rest } = spec;
  const said = {
    schema: 1,
    name: rest.name,
    ...(title !== undefined && { title }),
    ...(rest.summary !== '' && { summary: rest.summary }),
    base: rest.base,
    ...filled({ components: rest.components, packages: rest.packages }),
    ...filled({ files: rest.files.map(printedFile) }),
    ...printedServices(services),
    ...(script !== null && { first_boot_script: script }),
    ...filled({ ports: rest.ports.map(printedPort), health: rest.health.map(printedCheck) }),
    minimum: { memory_mib: minimum.memory_mib, disk_gib: minimum.disk_gib },
  };
  // Readers of YAML 1.1 take more words for something else: those are quoted, too.
  const yaml = new Document(said, { aliasDuplicateObjects: false, version: '1.2', compat: 'yaml-1.1' });
  visit(yaml, {
    Scalar: (_, node) => {
      if (isBlankText(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return yaml.toString({ lineWidth: 0 });
}

/** What was stored has its keys in no order: here each has its place. */
function printedServices({ enable, disable, mask }: RecipeSpec['services']) {
  const said = filled({ enable, disable, mask });
  return Object.keys(said).length > 0 && { services: said };
}

function printedPort({ name, port, protocol }: RecipeSpec['ports'][number]) {
  return { name, port, ...(protocol !== 'tcp' && { protocol }) };
}

function printedCheck(check: RecipeSpec['health'][number]) {
  const { type, port } = check;
  return check.type === 'tcp' ? { type, port } : { type, port, path: check.path, status: check.status };
}

function printedFile(file: RecipeSpec['files'][number]) {
  const { path, mode, owner, group, content, content_base64: encoded } = file;
  return {
    path,
    ...(mode !== '0644' && { mode }),
    ...(owner !== 'root' && { owner }),
    ...(group !== 'root' && { group }),
    ...(content !== undefined && { content }),
    ...(encoded !== undefined && { content_base64: encoded }),
  };
}

function filled(lists: Readonly<Record<string, readonly unknown[]>>): Record<string, readonly unknown[]> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

/** The parser takes the square of how deep, and how much, a text is: what is no recipe is not given to it. */
function assertModest(source: string): void {
  let [count, line, depth, depthOfLine] = [0, 1, 0, 0];
  for (const token of new Lexer().lex(source)) {
    count += 1;
    if (token === '[' || token === '{') depth += 1;
    if (token === ']' || token === '}') depth -= 1;
    if (token === '-' || token === '?') depthOfLine += 1;
    if (count > MAX_TOKENS || depth > MAX_DEPTH || depthOfLine > MAX_DEPTH) {
      const at = line;
      throw recipeInvalid(
        [{ path: [], message: 'is too large, or nested too deeply, for a recipe' }],
        () => at,
      );
    }
    const breaks = token.split('\n').length - 1;
    if (breaks > 0) [line, depthOfLine] = [line + breaks, 0];
  }
}

/** Doubles of keys are looked for by `badNodes`: the parser's own way takes the square of their number. */
function compose(source: string, lineCounter: LineCounter): Document.Parsed {
  const parsed = parseDocument(source, {
    ...{ version: '1.2', schema: 'core', strict: true, uniqueKeys: false, merge: false },
    ...{ logLevel: 'error', prettyErrors: false, lineCounter },
  });
  const [error] = parsed.errors;
  if (!error) return parsed;
  const { line } = lineCounter.linePos(error.pos[0]);
  const message =
    error.code === 'MULTIPLE_DOCS' ? 'must be one document (--- begins another)' : error.message;
  throw recipeInvalid([{ path: [], message }], () => line);
}

/** What YAML can say and a recipe does not need, each with the path at which it stands. */
function badNodes(parsed: Document.Parsed): RecipeProblem[] {
  const { explicit, version } = parsed.directives.yaml;
  const tags = Object.keys(parsed.directives.tags).length > 1;
  if (tags || (explicit && version !== '1.2')) {
    return [{ path: [], message: 'must have no directives (lines that begin with %)' }];
  }
  const problems: RecipeProblem[] = [];
  const look = (node: unknown, path: readonly PropertyKey[]): void => {
    if (path.length > MAX_DEPTH) {
      problems.push({ path, message: 'is nested too deeply for a recipe' });
      return;
    }
    const problem = whyNotPlain(node);
    if (problem !== undefined) {
      problems.push({ path, message: problem });
      return;
    }
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) look(item, [...path, index]);
    }
    if (!isMap(node)) return;
    const keys = new Set<string>();
    for (const { key, value } of node.items) {
      if (!isScalar(key) || typeof key.value !== 'string' || whyNotPlain(key) !== undefined) {
        problems.push({ path, message: 'has a key that is not plain text' });
      } else if (keys.has(key.value)) {
        problems.push({ path: [...path, key.value], message: 'stands here twice' });
      } else {
        keys.add(key.value);
        look(value, [...path, key.value]);
      }
    }
  };
  look(parsed.contents, []);
  return problems;
}

function refuse(problems: readonly RecipeProblem[], lineOf: ParsedRecipe['lineOf']): void {
  if (problems.length > 0) throw recipeInvalid(problems, lineOf);
}
