import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  /** Whatever is wrong with a token: who tries one learns nothing from it. */
  console_refused: 'forbidden',
} as const satisfies Record<string, ErrorKind>;

export type ConsolesErrorCode = keyof typeof CODES;

/** A console that is not opened. */
export class ConsolesError extends DomainError {
  declare readonly code: ConsolesErrorCode;

  constructor(code: ConsolesErrorCode, message: string) {
    super(CODES[code], code, message);
    this.name = 'ConsolesError';
  }
}

export function consoleRefused(): ConsolesError {
  const message = 'this console was opened before, has expired, or is not for whom or where it was opened';
  return new ConsolesError('console_refused', `${message}: ask for another`);
}
