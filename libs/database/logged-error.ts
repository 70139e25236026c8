/** Of TypeORM and PostgreSQL: the values of a query, which may be anybody's address, hash or key. */
const VALUES = new Set(['parameters', 'driverError', 'detail', 'where']);

/** pino's serializer of errors (`err`), after its own: what is wrong with a query is logged, and not what it was given. */
export function loggedError(serialized: object): object {
  return Object.fromEntries(Object.entries(serialized).filter(([name]) => !VALUES.has(name)));
}
