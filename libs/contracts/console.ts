import { z } from 'zod';
import { action } from './action.ts';

/** Where consoles are opened, on the origin of the API. */
export const CONSOLES_PATH = '/v1/consoles';

/** `https://panel.example`, or with a port; what a browser sends as `Origin`. */
const origin = z
  .string()
  .max(255)
  .refine((text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text, {
    error: 'must be the origin of a page, such as https://panel.example',
  });

/**
 * `vnc`: the screen, as RFB over a WebSocket, which asks for the password. `serial`: the text of the serial port, as it is,
 * without a password. `origin`: of the one page that may open it; without it the storefront may, and programs, which have
 * none. A session's consoles are the storefront's.
 */
export const requestConsole = z
  .strictObject({ type: z.enum(['vnc', 'serial']).default('vnc'), origin: origin.optional() })
  .prefault({});

/** `wss_url` is good for one opening within a minute. */
export const requestConsoleResponse = z.object({ action, wss_url: z.string(), password: z.string() });

/** How an open console ends, as the code with which its WebSocket is closed; the reason is for people. */
export const CONSOLE_CLOSE = {
  /** The machine was switched off. */
  ended: 4000,
  server_deleted: 4001,
  server_suspended: 4002,
  access_lost: 4003,
  opened_elsewhere: 4004,
  idle: 4005,
  time_is_up: 4006,
  /** The machine has no such console: it gets one when it is switched off and on. */
  not_there: 4007,
  host_unreachable: 4008,
  wrong_password: 4009,
  /** Not by us: on the host itself. */
  in_use: 4010,
} as const;

export type ConsoleClose = keyof typeof CONSOLE_CLOSE;
export type RequestConsole = z.output<typeof requestConsole>;
export type RequestConsoleInput = z.input<typeof requestConsole>;
export type RequestConsoleWire = z.output<typeof requestConsoleResponse>;
