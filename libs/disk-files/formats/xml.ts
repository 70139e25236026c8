import { diskError } from '../disk-files.errors.ts';

/** An element without its prefix: `ovf:Disk` is `Disk`. Attributes likewise. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

const MAX_DEPTH = 32;
const MAX_ELEMENTS = 20_000;
const NAME = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?';
const ATTRIBUTE = new RegExp(`\\s+(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, 'y');
const TAG_START = new RegExp(`<(/?)(${NAME})`, 'y');
const TAG_END = /\s*(\/?)>/y;
const PREDEFINED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Reads the part of XML that descriptions are written in: elements, attributes, text, comments, CDATA. There are no
 * entities but the five, no document types and no processing instructions, so nothing grows and nothing is fetched.
 * @throws DomainError `archive_description_invalid`
 */
export function parseXml(xml: string): Element {
  const top: Open = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [top];
  let elements = 0;
  for (let at = skipDeclaration(xml); at < xml.length; ) {
    const current = open.at(-1) ?? top;
    if (xml[at] !== '<') {
      const end = nextOf(xml, '<', at);
      current.text += decode(xml.slice(at, end));
      at = end;
    } else if (xml.startsWith('<!--', at)) at = behind(xml, '-->', at + 4);
    else if (xml.startsWith('<![CDATA[', at)) {
      const end = behind(xml, ']]>', at);
      current.text += xml.slice(at + 9, end - 3);
      at = end;
    } else {
      const tag = readTag(xml, at);
      if (tag.closing) {
        if (open.length === 1 || current.name !== tag.name)
          throw invalid('its elements do not close in order');
        open.pop();
      } else {
        if (++elements > MAX_ELEMENTS || open.length > MAX_DEPTH)
          throw invalid('it is absurdly large or deep');
        const element: Open = { name: tag.name, attributes: tag.attributes, children: [], text: '' };
        current.children.push(element);
        if (!tag.empty) open.push(element);
      }
      at = tag.end;
    }
  }
  const [root] = top.children;
  if (open.length !== 1 || !root || top.children.length !== 1 || top.text.trim() !== '')
    throw invalid('it is not one element');
  return root;
}

function readTag(xml: string, at: number) {
  TAG_START.lastIndex = at;
  const start = TAG_START.exec(xml);
  if (!start?.[2]) throw invalid('it has a document type, an instruction or a broken tag');
  const attributes = new Map<string, string>();
  let end = TAG_START.lastIndex;
  for (;;) {
    ATTRIBUTE.lastIndex = end;
    const found = ATTRIBUTE.exec(xml);
    if (!found?.[1]) break;
    attributes.set(local(found[1]), decode(found[2] ?? found[3] ?? ''));
    end = ATTRIBUTE.lastIndex;
  }
  TAG_END.lastIndex = end;
  const close = TAG_END.exec(xml);
  const closing = start[1] === '/';
  if (!close || (closing && (attributes.size > 0 || close[1] === '/'))) throw invalid('it has a broken tag');
  return { name: local(start[2]), attributes, closing, empty: close[1] === '/', end: TAG_END.lastIndex };
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);

function decode(text: string): string {
  return text.replace(/&([^;&]{0,16});?/g, (_all, name: string) => {
    const code = /^#(?:x([\da-f]{1,6})|(\d{1,7}))$/i.exec(name);
    const point = code ? Number.parseInt(code[1] ?? code[2] ?? '', code[1] ? 16 : 10) : Number.NaN;
    if (point > 0 && point <= 0x10ffff) return String.fromCodePoint(point);
    const known = Object.hasOwn(PREDEFINED, name) ? PREDEFINED[name] : undefined;
    if (known === undefined) throw invalid('it uses an entity');
    return known;
  });
}

function skipDeclaration(xml: string): number {
  const found = /^\ufeff?(?:<\?xml\s[^<>?]*\?>)?/.exec(xml);
  return found?.[0].length ?? 0;
}

function nextOf(xml: string, what: string, from: number): number {
  const found = xml.indexOf(what, from);
  return found === -1 ? xml.length : found;
}

function behind(xml: string, what: string, from: number): number {
  const found = xml.indexOf(what, from);
  if (found === -1) throw invalid('it ends in the middle');
  return found + what.length;
}

function invalid(what: string) {
  return diskError(
    'archive_description_invalid',
    `The archive’s .ovf file cannot be read: ${what}. Export the machine again as OVF 1.x.`,
  );
}

/** Every element of the name, at whatever depth, in order. */
export function elementsOf(root: Element, name: string): Element[] {
  return root.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...elementsOf(child, name),
  ]);
}

export function textOf(root: Element, name: string): string | null {
  return root.children.find((child) => child.name === name)?.text.trim() || null;
}
