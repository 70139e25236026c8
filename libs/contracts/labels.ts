import { z } from 'zod';

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?';
const DNS_LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const KEY = new RegExp(`^(?:(?=[^/]{1,253}/)${DNS_LABEL}(?:\\.${DNS_LABEL})*/)?${NAME}$`);
const VALUE = new RegExp(`^(?:${NAME})?$`);
const MAX_LABELS = 64;

/** A label's key: an optional DNS prefix and "/", then a name of at most 63 characters. */
export function isLabelKey(text: string): boolean {
  return KEY.test(text);
}

/** A label's value: empty, or at most 63 characters that begin and end with a letter or digit. */
export function isLabelValue(text: string): boolean {
  return VALUE.test(text);
}

export const labelsInput = z
  .record(
    z
      .string()
      .regex(KEY, { error: 'keys have at most 63 letters, digits, "-", "_", "." after an optional prefix/' }),
    z.string().regex(VALUE, { error: 'values have at most 63 letters, digits, "-", "_" or "."' }),
  )
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, { error: `at most ${MAX_LABELS} labels` });

export const labels = z.record(z.string(), z.string());
