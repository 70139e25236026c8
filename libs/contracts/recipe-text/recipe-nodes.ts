import { isAlias, isCollection, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

/** Where something stands in a recipe: `['files', 0, 'path']`. */
type Path = readonly PropertyKey[];

/** The line, from 1, of a path into the contents of a document, or of the nearest above it that is there. */
export function lineOfPath(contents: unknown, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = nodeAt(contents, path.slice(0, length));
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/**
 * The last key of a path, or the item of a list: where a reader looks for it. Of two keys that are alike it is the last one, which
 * is the one too many. Undefined where the path leads nowhere.
 */
export function nodeAt(contents: unknown, path: Path): Node | undefined {
  let node = contents;
  let found: unknown;
  for (const part of path) {
    if (isSeq(node) && typeof part === 'number') {
      node = found = node.items[part];
    } else if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === part);
      found = pair?.key;
      node = pair?.value;
    } else return undefined;
  }
  return isScalar(found) || isCollection(found) ? found : undefined;
}

/** Why YAML can say this and a recipe cannot; undefined for what is plain. Looks at the node alone, not into it. */
export function whyNotPlain(node: unknown): string | undefined {
  if (isAlias(node)) return 'must be no alias (*): write it out';
  if (!isScalar(node) && !isCollection(node)) return undefined;
  if (node.anchor !== undefined) return 'must have no anchor (&)';
  return node.tag === undefined ? undefined : 'must have no tag (!)';
}
