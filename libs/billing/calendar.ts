/**
 * Moments as whole seconds of Unix time, which has no leap seconds, no time zones and no summer time: every day has
 * 86,400 of them. Months are those of UTC.
 */
export type EpochSecond = number;

export const HOUR_SECONDS = 3600;
export const DAY_SECONDS = 24 * HOUR_SECONDS;

/** The whole second that a moment lies in. */
export function toEpochSecond(moment: Date): EpochSecond {
  return Math.floor(moment.getTime() / 1000);
}

export function toDate(second: EpochSecond): Date {
  return new Date(second * 1000);
}

/** The first second of the UTC month that a second lies in. */
export function monthStart(second: EpochSecond): EpochSecond {
  const date = toDate(second);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) / 1000;
}

/** The first second of the UTC month after that. */
export function nextMonth(second: EpochSecond): EpochSecond {
  const date = toDate(second);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / 1000;
}

/** The first second of the UTC day that a second lies in. */
export function dayStart(second: EpochSecond): EpochSecond {
  return second - (second % DAY_SECONDS);
}
