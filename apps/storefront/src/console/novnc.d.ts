/** What we use of noVNC, which brings no types (https://github.com/novnc/noVNC/blob/master/docs/API.md). */
declare module '@novnc/novnc' {
  export default class RFB extends EventTarget {
    constructor(
      target: HTMLElement,
      channel: WebSocket,
      options?: { readonly credentials?: { readonly password: string }; readonly shared?: boolean },
    );
    scaleViewport: boolean;
    background: string;
    focus(): void;
    disconnect(): void;
    sendCtrlAltDel(): void;
  }
}
