import { StringDecoder } from 'node:string_decoder';

/** Longer ones are cut in pieces, so that nobody who prints without end fills our memory. */
const MAX_LINE = 16 * 1024;

/** Cuts a stream of UTF-8 into lines. A carriage return ends one too, as progress bars mean it. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';

  split(bytes: Buffer): string[] {
    const pieces = (this.#pending + this.#decoder.write(bytes)).split(/\r?\n|\r(?!$)/);
    this.#pending = pieces.pop() ?? '';
    const tooLong = this.#pending.length > MAX_LINE ? [this.#pending] : [];
    if (tooLong.length > 0) this.#pending = '';
    return [...pieces, ...tooLong];
  }

  /** What came after the last end of a line. */
  rest(): string[] {
    const last = this.#pending + this.#decoder.end();
    this.#pending = '';
    return last === '' ? [] : [last];
  }
}
