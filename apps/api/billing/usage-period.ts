import { ApiError } from '../http/api-error.ts';

const DAY_MILLISECONDS = 86_400_000;
const MOST_DAYS = 92;

/**
 * The time between two days of UTC, without them the month so far. What lies ahead is not used yet.
 * @throws ApiError `invalid_input` for days that are not in order, or further apart than a quarter
 */
export function usagePeriod(
  asked: { readonly from?: string | undefined; readonly until?: string | undefined },
  now: Date,
): { readonly from: Date; readonly until: Date } {
  const end = asked.until === undefined ? now : new Date(asked.until);
  const from = asked.from === undefined ? monthOf(new Date(end.getTime() - 1)) : new Date(asked.from);
  if (from >= end) throw refusal('until', 'must be after the day that it begins with');
  if (end.getTime() - from.getTime() > MOST_DAYS * DAY_MILLISECONDS) {
    throw refusal('until', `must be at most ${MOST_DAYS} days after from`);
  }
  return { from, until: end < now ? end : now };
}

function monthOf(moment: Date): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth()));
}

function refusal(name: string, message: string): ApiError {
  return new ApiError('invalid_input', `${name} ${message}`, { fields: [{ name, messages: [message] }] });
}
