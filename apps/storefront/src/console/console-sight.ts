/** What shows an open console in a part of the page. */
export interface ConsoleSight {
  focus(): void;
  /** Takes it from the page, and closes its connection. */
  remove(): void;
  /** Presses Ctrl, Alt and Delete, where there are keys. */
  readonly pressCtrlAltDelete?: () => void;
}
