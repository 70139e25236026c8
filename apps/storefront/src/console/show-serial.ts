import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { ConsoleSight } from './console-sight.ts';

/** Below what the gateway takes in one message. */
const PART_BYTES = 32 * 1024;
const SCROLLBACK_LINES = 5000;

/** Shows a serial port as a terminal. */
export function showSerial(place: HTMLElement, socket: WebSocket): ConsoleSight {
  const fontFamily = getComputedStyle(place).fontFamily;
  const terminal = new Terminal({
    fontFamily,
    fontSize: 14,
    scrollback: SCROLLBACK_LINES,
    screenReaderMode: true,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  const resizing = new ResizeObserver(() => fit.fit());
  resizing.observe(place);
  const encoder = new TextEncoder();
  terminal.onData((text) => {
    const bytes = encoder.encode(text);
    for (let from = 0; from < bytes.length; from += PART_BYTES) {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes.subarray(from, from + PART_BYTES));
    }
  });
  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) =>
    terminal.write(new Uint8Array(data)),
  );
  return {
    focus: () => terminal.focus(),
    remove: () => {
      resizing.disconnect();
      socket.close();
      terminal.dispose();
    },
  };
}
