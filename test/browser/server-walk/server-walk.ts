import type { Page } from 'playwright-core';

export const DONE_WITHIN_MILLISECONDS = 120_000;

/** One visitor, one server, walked through many tests: each goes on where the one before it ended. */
export interface ServerWalk {
  page: Page;
  /** Of the server; the password is that of its root. */
  name: string;
  password: string;
  hostKey: string;
}
