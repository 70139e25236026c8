import type { ChildProcessByStdio } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';

/** A program's standard input and output as one connection, which is over when the program is, and the other way round. */
export class ProgramConnection extends Duplex {
  private readonly program: ChildProcessByStdio<Writable, Readable, null>;

  constructor(program: ChildProcessByStdio<Writable, Readable, null>) {
    super({ allowHalfOpen: false });
    this.program = program;
    program.once('error', (error) => this.destroy(error));
    // A program that is gone says so by its end.
    program.stdin.on('error', () => undefined);
    program.stdout
      .once('end', () => this.push(null))
      .on('data', (bytes: Buffer) => {
        if (!this.push(bytes)) program.stdout.pause();
      });
  }

  override _read(): void {
    this.program.stdout.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.program.stdin.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.program.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.program.kill();
    done(error);
  }
}
