import { Duplex } from 'node:stream';

const VERSION = 'RFB 003.008\n';
const SIDE = 8;
const BYTES_PER_PIXEL = 4;
/** 32 bits a pixel, 24 deep, little-endian, true colour, 8 bits each at 16, 8 and 0 (RFC 6143, 7.4). */
const PIXEL_FORMAT = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
const NAME = 'simulated';
/** Bytes of a client's messages by their first one; lists of encodings and texts are longer by what they hold. */
const LENGTHS: Readonly<Record<number, number>> = { 0: 20, 2: 4, 3: 10, 4: 8, 5: 6, 6: 8 };
const SET_ENCODINGS = 2;
const UPDATE_REQUEST = 3;
const CUT_TEXT = 6;

/** An RFB 3.8 server (RFC 6143) without a password, whose one picture is black. */
export class BlankScreen extends Duplex {
  private received = Buffer.alloc(0);
  private state: 'version' | 'security' | 'init' | 'messages' = 'version';

  constructor() {
    super({ allowHalfOpen: false });
    this.push(VERSION);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (let length = this.due(); length !== 0 && this.received.length >= length; length = this.due()) {
      const message = this.received.subarray(0, length);
      this.received = this.received.subarray(length);
      this.answer(message);
    }
    done();
  }

  /** How long what the client says next is; 0 while that does not show. */
  private due(): number {
    if (this.state === 'version') return VERSION.length;
    if (this.state !== 'messages') return 1;
    const [type = 0] = this.received;
    const length = this.received.length === 0 ? 0 : (LENGTHS[type] ?? 1);
    if (this.received.length < length) return 0;
    if (type === SET_ENCODINGS && length > 0) return length + 4 * this.received.readUInt16BE(2);
    if (type === CUT_TEXT && length > 0) return length + this.received.readUInt32BE(4);
    return length;
  }

  private answer(message: Buffer): void {
    if (this.state === 'version') {
      this.state = 'security';
      this.push(Buffer.from([1, 1]));
    } else if (this.state === 'security') {
      this.state = 'init';
      this.push(Buffer.alloc(4));
    } else if (this.state === 'init') {
      this.state = 'messages';
      const name = Buffer.from(NAME);
      this.push(Buffer.from([0, SIDE, 0, SIDE, ...PIXEL_FORMAT, 0, 0, 0, name.length, ...name]));
    } else if (message[0] === UPDATE_REQUEST && message[1] === 0) {
      const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, SIDE, 0, SIDE, 0, 0, 0, 0]);
      this.push(Buffer.concat([header, Buffer.alloc(SIDE * SIDE * BYTES_PER_PIXEL)]));
    }
  }
}
