/** Writes values as XDR (RFC 4506) has them: big-endian, filled up to four bytes. */
export class XdrWriter {
  private readonly parts: Buffer[] = [];

  int(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    this.parts.push(bytes);
    return this;
  }

  /** Bytes whose number both sides know. */
  opaque(bytes: Buffer): this {
    this.parts.push(bytes, Buffer.alloc(paddingOf(bytes.length)));
    return this;
  }

  string(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    return this.int(bytes.length).opaque(bytes);
  }

  /** A string that may not be there. */
  optional(text: string | undefined): this {
    return text === undefined ? this.int(0) : this.int(1).string(text);
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Reads what XdrWriter writes. Every method throws a RangeError where the bytes end too early. */
export class XdrReader {
  private readonly buffer: Buffer;
  private offset = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  int(): number {
    const value = this.buffer.readInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  opaque(length: number): Buffer {
    const end = this.offset + length;
    if (length < 0 || end > this.buffer.length) throw new RangeError('XDR: the bytes end too early');
    const bytes = this.buffer.subarray(this.offset, end);
    this.offset = end + paddingOf(length);
    return bytes;
  }

  string(): string {
    return this.opaque(this.int()).toString('utf8');
  }

  optional(): string | undefined {
    return this.int() === 0 ? undefined : this.string();
  }
}

function paddingOf(length: number): number {
  return (4 - (length % 4)) % 4;
}
