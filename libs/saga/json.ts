import { SagaError } from './saga.errors.ts';

/**
 * Checks that a step's output comes back from storage as it went in: plain objects, arrays, strings, finite
 * numbers, booleans, null. Missing properties may be `undefined`.
 * @throws SagaError `output_not_json`, naming the path.
 */
export function assertJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertJson(item, `${path}[${index}]`);
    return;
  }
  if (typeof value === 'object' && isPlain(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) assertJson(item, `${path}.${key}`);
    }
    return;
  }
  throw new SagaError(
    'conflict',
    'output_not_json',
    `${path} is not plain JSON: return ids, numbers and strings`,
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
