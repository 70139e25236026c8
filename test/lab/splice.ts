import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Carries bytes between two connections until both are done. Either may end its half and still be read;
 * when one breaks, the other is broken too, so that neither side takes a lost connection for a finished one.
 */
export function splice(left: Duplex, right: Duplex): void {
  carry(left, right);
  carry(right, left);
}

function carry(from: Duplex, to: Duplex): void {
  from.pipe(to);
  from.on('error', () => breakOff(to));
  from.on('close', () => {
    if (!from.readableEnded || !from.writableFinished) breakOff(to);
  });
}

/** Ends a connection in a way that its peer sees as an error where the transport can say so (TCP's RST). */
export function breakOff(connection: Duplex): void {
  if (connection.destroyed) return;
  if (connection instanceof Socket && connection.remoteFamily !== undefined) connection.resetAndDestroy();
  else connection.destroy();
}
