import { Duplex } from 'node:stream';
import { XdrReader, XdrWriter } from './xdr.ts';

/** Numbers of libvirt's remote protocol (src/remote/remote_protocol.x), which never change. */
const PROGRAM = 0x20008086;
const VERSION = 1;
export const PROCEDURE = {
  connectOpen: 1,
  lookupByUuid: 24,
  authList: 66,
  authPolkit: 70,
  openConsole: 201,
  openChannel: 296,
} as const;
const TYPE = { call: 0, reply: 1, stream: 3 } as const;
const STATUS = { ok: 0, error: 1, continue: 2 } as const;

/** The length of a packet, which counts itself, and six more numbers. */
const HEADER_BYTES = 28;
/** Beyond what libvirt puts into any packet of ours: an answer or a part of a stream. */
const MAX_PACKET_BYTES = 1024 * 1024;
/** As much as every libvirt takes in a packet (VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX). */
const MAX_STREAM_BYTES = 262_120;

/** What libvirt refused, in its words. */
export class RpcRefusal extends Error {}

interface Packet {
  readonly procedure: number;
  readonly type: number;
  readonly status: number;
  readonly payload: Buffer;
}

interface Waiting {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to libvirt in its own protocol (https://libvirt.org/kbase/internals/rpc.html): some calls, and then the
 * one stream that it is for. Who does not read the stream stops the connection, and so libvirt, and so the guest's device:
 * nothing piles up anywhere.
 */
export class RpcConnection extends Duplex {
  private readonly transport: Duplex;
  private readonly waiting = new Map<number, Waiting>();
  private received: Buffer = Buffer.alloc(0);
  private lastSerial = 0;
  private streamed: { readonly procedure: number; readonly serial: number } | undefined;

  constructor(transport: Duplex) {
    super({ allowHalfOpen: false });
    this.transport = transport;
    transport.on('data', (bytes: Buffer) => this.receive(bytes));
    transport.on('error', (error) => this.destroy(error));
    transport.on('close', () => this.destroy(this.streamed ? undefined : new Error('the connection broke')));
  }

  /** @throws RpcRefusal (rejects), or Error where the connection breaks */
  call(procedure: number, args: XdrWriter = new XdrWriter()): Promise<XdrReader> {
    this.lastSerial += 1;
    const serial = this.lastSerial;
    const answer = new Promise<Buffer>((resolve, reject) => this.waiting.set(serial, { resolve, reject }));
    this.transport.write(
      packet({ procedure, type: TYPE.call, status: STATUS.ok, payload: args.bytes() }, serial),
    );
    return answer.then((payload) => new XdrReader(payload));
  }

  /** A call that opens a stream, which this Duplex is from then on. */
  async stream(procedure: number, args: XdrWriter): Promise<void> {
    this.streamed = { procedure, serial: this.lastSerial + 1 };
    await this.call(procedure, args);
  }

  override _read(): void {
    this.transport.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { procedure = 0, serial = 0 } = this.streamed ?? {};
    const parts = [];
    for (let from = 0; from < chunk.length; from += MAX_STREAM_BYTES) {
      const payload = chunk.subarray(from, from + MAX_STREAM_BYTES);
      parts.push(packet({ procedure, type: TYPE.stream, status: STATUS.continue, payload }, serial));
    }
    this.transport.write(Buffer.concat(parts), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.transport.destroy();
    for (const { reject } of this.waiting.values()) reject(error ?? new Error('the connection was closed'));
    this.waiting.clear();
    done(error);
  }

  private receive(bytes: Buffer): void {
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    while (this.received.length >= HEADER_BYTES) {
      const length = this.received.readUInt32BE(0);
      if (length < HEADER_BYTES || length > MAX_PACKET_BYTES) {
        this.destroy(new Error('what answers does not speak the protocol of libvirt'));
        return;
      }
      if (this.received.length < length) return;
      const whole = this.received.subarray(0, length);
      this.received = this.received.subarray(length);
      const [procedure, type, serial, status] = [12, 16, 20, 24].map((at) => whole.readUInt32BE(at)) as [
        number,
        number,
        number,
        number,
      ];
      this.handle({ procedure, type, status, payload: whole.subarray(HEADER_BYTES) }, serial);
    }
  }

  private handle({ type, status, payload }: Packet, serial: number): void {
    if (type === TYPE.reply) {
      const waiting = this.waiting.get(serial);
      this.waiting.delete(serial);
      if (status === STATUS.error) waiting?.reject(refusal(payload));
      else waiting?.resolve(payload);
    } else if (type === TYPE.stream && serial === this.streamed?.serial) {
      // Nothing more comes after an empty part, nor after any word but "continue".
      if (status !== STATUS.continue || payload.length === 0) this.destroy();
      else if (!this.push(payload)) this.transport.pause();
    }
  }
}

function packet({ procedure, type, status, payload }: Packet, serial: number): Buffer {
  const header = new XdrWriter()
    .int(HEADER_BYTES + payload.length)
    .int(PROGRAM)
    .int(VERSION)
    .int(procedure);
  return Buffer.concat([header.int(type).int(serial).int(status).bytes(), payload]);
}

/** libvirt's error: a number, where it comes from, and its words. */
function refusal(payload: Buffer): RpcRefusal {
  const reader = new XdrReader(payload);
  reader.int();
  reader.int();
  return new RpcRefusal(reader.optional() ?? 'no reason given');
}
