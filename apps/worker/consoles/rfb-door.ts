import { createCipheriv, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** RFC 6143, 7.1. */
const VERSION = 'RFB 003.008\n';
const SECURITY = { none: 1, password: 2 } as const;
const CHALLENGE_BYTES = 16;
const KEY_BYTES = 8;
/** Versions before this one are told the kind of security, and not asked. */
const FIRST_THAT_CHOOSES = 7;
/** Versions before this one take no reason for a refusal. */
const FIRST_WITH_REASONS = 8;

/** What a client, or a screen, said is not RFB, or the password was wrong. */
export class RfbRefusal extends Error {
  readonly isPassword: boolean;

  constructor(message: string, isPassword = false) {
    super(message);
    this.isPassword = isPassword;
  }
}

/**
 * Stands between an RFB client and a screen that asks for no password until the client has shown that it knows `password`;
 * from then on each can be given what the other says.
 * @throws RfbRefusal (rejects)
 */
export async function openRfbDoor(client: Duplex, screen: Duplex, password: string): Promise<void> {
  await greetScreen(screen);
  client.write(VERSION);
  const minor = minorOf(await take(client, VERSION.length));
  if (minor < FIRST_THAT_CHOOSES) client.write(uint32(SECURITY.password));
  else {
    client.write(Buffer.from([1, SECURITY.password]));
    const [chosen] = await take(client, 1);
    if (chosen !== SECURITY.password) throw new RfbRefusal('the client wants another kind of security');
  }
  const challenge = randomBytes(CHALLENGE_BYTES);
  client.write(challenge);
  const answer = await take(client, CHALLENGE_BYTES);
  if (timingSafeEqual(answer, answerTo(challenge, password))) {
    client.write(uint32(0));
    return;
  }
  const reason = Buffer.from('the password is wrong');
  client.write(
    minor < FIRST_WITH_REASONS ? uint32(1) : Buffer.concat([uint32(1), uint32(reason.length), reason]),
  );
  throw new RfbRefusal('the password is wrong', true);
}

async function greetScreen(screen: Duplex): Promise<void> {
  await take(screen, VERSION.length);
  screen.write(VERSION);
  const [count = 0] = await take(screen, 1);
  const kinds = await take(screen, count);
  if (!kinds.includes(SECURITY.none)) throw new RfbRefusal('the screen asks for a password that nobody has');
  screen.write(Buffer.from([SECURITY.none]));
  if ((await take(screen, 4)).readUInt32BE() !== 0) throw new RfbRefusal('the screen refuses');
}

function minorOf(version: Buffer): number {
  const [, minor] = /^RFB 003\.(\d{3})\n$/.exec(version.toString('latin1')) ?? [];
  if (minor === undefined) throw new RfbRefusal('the client does not speak RFB 3');
  return Number(minor);
}

/** DES under the password, its bits mirrored (RFC 6143, 7.2.2). The same key three times makes triple DES of it. */
export function answerTo(challenge: Buffer, password: string): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  Buffer.from(password, 'latin1').copy(key);
  const mirrored = key.map((byte) =>
    Array.from({ length: 8 }, (_, bit) => ((byte >> bit) & 1) << (7 - bit)).reduce((sum, bit) => sum | bit),
  );
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([mirrored, mirrored, mirrored]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The next bytes of a stream, as many as are wanted; what comes after them stays there. */
async function take(stream: Duplex, count: number): Promise<Buffer> {
  if (count === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes = stream.read(count) as Buffer | null;
    if (bytes?.length === count) return bytes;
    if (bytes !== null || stream.destroyed || stream.readableEnded)
      throw new RfbRefusal('it ended too early');
    const isHeard = new AbortController();
    const { signal } = isHeard;
    await Promise.race([once(stream, 'readable', { signal }), once(stream, 'close', { signal })]);
    isHeard.abort();
  }
}
