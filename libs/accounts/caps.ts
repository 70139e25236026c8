import { AccountsError } from './accounts.errors.ts';

/** More than anybody works with; who wants to fill the database, or to have the limits of many, does. */
export const MOST = { projects: 100, apiTokens: 200, sshKeys: 500 } as const;

export function tooMany(whose: string, most: number, what: string): AccountsError {
  return new AccountsError('too_many', `${whose} may have ${most} ${what}: do away with some first`);
}
