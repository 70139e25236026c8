import RFB from '@novnc/novnc';
import type { ConsoleSight } from './console-sight.ts';

/** Shows a screen, as large as the place that it has. */
export function showScreen(place: HTMLElement, socket: WebSocket, password: string): ConsoleSight {
  const rfb = new RFB(place, socket, { credentials: { password } });
  rfb.scaleViewport = true;
  rfb.background = 'transparent';
  return {
    focus: () => rfb.focus(),
    remove: () => {
      rfb.disconnect();
      place.replaceChildren();
    },
    pressCtrlAltDelete: () => rfb.sendCtrlAltDel(),
  };
}
