import pg from 'pg';

const INT8_OID = 20;

/**
 * PostgreSQL's bigint as a JavaScript number. Every bigint of ours (public ids, amounts, fencing tokens) stays
 * below 2^53; a value beyond it is a defect and must not be rounded silently.
 * @throws RangeError when the value is not a safe integer.
 */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint out of the safe range: ${text}`);
  return value;
}

/** Makes `pg` hand out bigint columns and `count(*)` as numbers, for the whole process. */
export function installInt8Parser(): void {
  pg.types.setTypeParser(INT8_OID, parseInt8);
}
