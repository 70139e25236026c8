import { DomainError } from '#libs/kernel';

/** The refusal of what was typed. */
export function invalid(message: string): DomainError {
  return new DomainError('invalid_input', 'invalid_option', message);
}

/** `2027-01-01T00:00:00Z`: a moment without its zone would be another one on another machine. */
export function parseMoment(option: string, text: string): Date {
  const moment = new Date(text);
  if (/T.*(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(moment.getTime())) return moment;
  throw invalid(`${option}: "${text}" must be a moment with its zone, such as 2027-01-01T00:00:00Z`);
}
