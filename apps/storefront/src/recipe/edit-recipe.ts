import { type Document, isCollection, isMap, isScalar, isSeq, Pair, Scalar, visit, type YAMLMap } from 'yaml';
import { isBlankText } from '#libs/contracts';
import { type RecipePath, readDocument } from './recipe-document.ts';

/** The order in which the keys of a recipe are written. */
const ORDER = [
  'schema',
  'name',
  'title',
  'summary',
  'base',
  'components',
  'packages',
  'files',
  'services',
  'first_boot_script',
  'ports',
  'health',
  'minimum',
];

/** With a value in place of what stands at the path; the rest, comments as well, stays. Text that is no YAML stays as it is. */
export function setIn(text: string, path: readonly [string, ...RecipePath], value: unknown): string {
  return edit(text, (yaml, root) => put(yaml, root, path, value));
}

/** With one more item at the end of the list at the path, which is made where there is none. */
export function addTo(text: string, path: readonly [string, ...RecipePath], item: unknown): string {
  return edit(text, (yaml, root) => {
    if (isSeq(yaml.getIn(path, true))) yaml.addIn(path, yaml.createNode(item));
    else put(yaml, root, path, [item]);
  });
}

/** Without what stands at the path; lists and maps that get empty by that go as well. */
export function removeIn(text: string, path: RecipePath): string {
  return edit(text, (yaml) => {
    yaml.deleteIn(path);
    for (let above = path.slice(0, -1); above.length > 0; above = above.slice(0, -1)) {
      const left = yaml.getIn(above, true);
      if (!isCollection(left) || left.items.length > 0) return;
      yaml.deleteIn(above);
    }
  });
}

function put(yaml: Document, root: YAMLMap, path: readonly [string, ...RecipePath], value: unknown): void {
  const [key, ...below] = path;
  if (!root.has(key)) insertKey(yaml, root, key);
  const [next] = below;
  const there = root.get(key, true);
  if (typeof next === 'number' && !isSeq(there)) root.set(key, yaml.createNode([]));
  if (typeof next === 'string' && !isMap(there)) root.set(key, yaml.createNode({}));
  yaml.setIn(path, typeof value === 'object' ? yaml.createNode(value) : value);
}

function edit(text: string, change: (yaml: Document, root: YAMLMap) => void): string {
  const { yaml, problems } = readDocument(text);
  if (problems.length > 0) return text;
  if (!isMap(yaml.contents)) yaml.contents = yaml.createNode({}) as YAMLMap;
  const root = yaml.contents as YAMLMap;
  change(yaml, root);
  visit(yaml, {
    Scalar: (_, node) => {
      if (isBlankText(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return yaml.toString({ lineWidth: 0, singleQuote: false });
}

/** Where a reader looks for it: behind all keys that come before it. */
function insertKey(yaml: Document, root: YAMLMap, key: string): void {
  const place = ORDER.indexOf(key);
  const after = root.items.findLastIndex(
    (pair) => isScalar(pair.key) && ORDER.indexOf(String(pair.key.value)) < place,
  );
  root.items.splice(after + 1, 0, new Pair(yaml.createNode(key), yaml.createNode(null)));
}
