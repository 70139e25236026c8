import { PASSWORD_MIN_CHARACTERS } from '#libs/contracts';

export const PASSWORD_HINT = `At least ${PASSWORD_MIN_CHARACTERS} characters. Four words work well.`;

/** What is wrong with a password that somebody chooses, if anything is. */
export function newPasswordProblem(password: string): string | undefined {
  if (password === '') return 'Enter a password.';
  if (password.length >= PASSWORD_MIN_CHARACTERS) return undefined;
  return `Use at least ${PASSWORD_MIN_CHARACTERS} characters; this one has ${password.length}.`;
}

/** Whether somebody has meant to write an address; the API says whether it is one. */
export function looksLikeEmail(text: string): boolean {
  return /^\S+@\S+$/.test(text.trim());
}
