import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocket } from 'ws';
import { answerTo } from '../../apps/worker/consoles/rfb-door.ts';

const VERSION = 'RFB 003.008\n';
const PASSWORD = 2;

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly name: string;
}

/** Opens a screen at the address of a console as any RFB client does, says what it is, and leaves. */
export async function lookAtScreen(url: string, password: string): Promise<Screen> {
  const socket = new WebSocket(url);
  const stream = createWebSocketStream(socket);
  try {
    await take(stream, VERSION.length);
    stream.write(VERSION);
    const [count = 0] = await take(stream, 1);
    if (!(await take(stream, count)).includes(PASSWORD)) throw new Error('it wants no password');
    stream.write(Buffer.from([PASSWORD]));
    stream.write(answerTo(await take(stream, 16), password));
    if ((await take(stream, 4)).readUInt32BE() !== 0) throw new Error('the password is wrong');
    stream.write(Buffer.from([1]));
    const init = await take(stream, 24);
    const name = await take(stream, init.readUInt32BE(20));
    return { width: init.readUInt16BE(0), height: init.readUInt16BE(2), name: name.toString() };
  } finally {
    socket.terminate();
  }
}

async function take(stream: Duplex, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = stream.read(count) as Buffer | null;
    if (bytes) return bytes;
    await once(stream, 'readable');
  }
}
