export { type ConsoleCut, ConsoleOpenings, type OpenedConsole, type Presented } from './console-openings.ts';
export { ConsolePasswords } from './console-passwords.ts';
export {
  CONSOLE_TOKEN_SECONDS,
  type ConsoleActor,
  type ConsoleKind,
  ConsoleRequests,
  type NewConsole,
} from './console-requests.ts';
export { ConsolesError, type ConsolesErrorCode, consoleRefused } from './consoles.errors.ts';
export { consolesModule } from './consoles.module.ts';
