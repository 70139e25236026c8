const LOCALE = 'en';

/** A price of the API (a decimal string of the major unit), such as a monthly cap. */
export function formatPrice(decimal: string, currency: string): string {
  return new Intl.NumberFormat(LOCALE, { style: 'currency', currency }).format(decimal as `${number}`);
}

/** A price by the hour, which is often a fraction of the minor unit: three to five digits. */
export function formatHourly(decimal: string, currency: string): string {
  const digits = { minimumFractionDigits: 3, maximumFractionDigits: 5 };
  return new Intl.NumberFormat(LOCALE, { style: 'currency', currency, ...digits }).format(
    decimal as `${number}`,
  );
}

/** An amount in the currency's minor units, such as cents. */
export function formatMinor(amountMinor: number, currency: string): string {
  const format = new Intl.NumberFormat(LOCALE, { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amountMinor / 10 ** digits);
}

/** Gigabytes as customers read them: `512 MB`, `4 GB`. */
export function formatGb(gigabytes: number): string {
  return gigabytes < 1 ? `${Math.round(gigabytes * 1024)} MB` : `${gigabytes} GB`;
}

/** A file's size: `742.5 MB`. Like the API's sizes, by 1024. */
export function formatBytes(bytes: number): string {
  const gigabytes = bytes / 1024 ** 3;
  const [value, unit] = gigabytes >= 1 ? [gigabytes, 'GB'] : [bytes / 1024 ** 2, 'MB'];
  return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 }).format(value)} ${unit}`;
}

/** `1 core`, `2 cores`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Elapsed time: `0:07`, `1:42`, `1:02:03`. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}

/** The time that a step took: `0.4 s`, `12 s`, `1 min 5 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10_000) return `${(Math.max(0, durationMs) / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A date and time in the visitor's own zone. */
export function formatDate(iso: string): string {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));
}

/** The same with the name of the zone: `Nov 22, 2026, 8:22:05 PM GMT+1`. */
export function formatDateWithZone(iso: string): string {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(iso));
}

/** A month of UTC, such as `2026-11`: `November 2026`. */
export function formatMonth(month: string): string {
  const format = { month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(LOCALE, format).format(new Date(`${month}-01T00:00:00Z`));
}

/** A day of UTC, by which usage and invoices are counted: `Nov 22, 2026`. */
export function formatDay(iso: string): string {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(iso));
}

/** Used time in hours: `0.5 h`, `672 h`. */
export function formatHours(seconds: number): string {
  const hours = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 }).format(seconds / 3600);
  return `${hours} h`;
}

/** A message of the API as a sentence of a page; what begins with a name keeps it as it is. */
export function asSentence(message: string): string {
  const begun = /^[a-z]+ /.test(message) ? message.charAt(0).toUpperCase() + message.slice(1) : message;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
