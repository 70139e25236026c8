import { XMLBuilder, XMLParser } from 'fast-xml-parser';

const ATTRIBUTE = '@';

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
  format: true,
});

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  parseTagValue: false,
  parseAttributeValue: false,
  alwaysCreateTextNode: true,
  textNodeName: '#text',
  // Every element becomes a list: libvirt repeats elements freely, and readers ask for the first.
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
});

/** Keys that begin with `@` are attributes, `#text` is text, a list repeats its element. */
export type XmlTree = { readonly [key: string]: XmlTree | readonly XmlTree[] | string | number | undefined };

export function writeXml(tree: XmlTree): string {
  return builder.build(tree) as string;
}

/** One element of a parsed document, read without trusting its shape. */
export class XmlElement {
  private readonly node: unknown;

  constructor(node: unknown) {
    this.node = node;
  }

  static parse(xml: string): XmlElement {
    return new XmlElement(parser.parse(xml));
  }

  /** All children of this name. */
  all(name: string): XmlElement[] {
    const children = this.member(name);
    return Array.isArray(children) ? children.map((child) => new XmlElement(child)) : [];
  }

  /** The first child along a path; an empty element where there is none. */
  at(...path: readonly string[]): XmlElement {
    return path.reduce<XmlElement>(
      (element, name) => element.all(name)[0] ?? new XmlElement(undefined),
      this,
    );
  }

  attribute(name: string): string | undefined {
    const value = this.member(`${ATTRIBUTE}${name}`);
    return typeof value === 'string' ? value : undefined;
  }

  get text(): string {
    const value = this.member('#text');
    return typeof value === 'string' ? value : '';
  }

  /** The text as a number; NaN where it is none. */
  get number(): number {
    return this.text === '' ? Number.NaN : Number(this.text);
  }

  private member(name: string): unknown {
    if (typeof this.node !== 'object' || this.node === null) return undefined;
    return Object.entries(this.node).find(([key]) => key === name)?.[1];
  }
}
