import { createHash } from 'node:crypto';
import { Client } from 'pg';

/** So many texts are remembered at most: each stands once per connection in PostgreSQL's memory. */
const MOST_TEXTS = 2000;
/** A column more, by a migration, changes what such a statement returns; a plan that is kept would fail then. */
const ALL_COLUMNS = /(^|[\s,.])\*/;

const names = new Map<string, string | undefined>();

/**
 * A client whose statements with parameters PostgreSQL parses and plans once per connection and not each time, which
 * is more than half of its work for a short one. So all that varies has to be in the parameters; texts beyond the
 * most that are remembered are parsed each time.
 */
export class PreparingClient extends Client {
  constructor(...config: ConstructorParameters<typeof Client>) {
    super(...config);
    // A connection may be cut between the pool's listener and that of who gets it: their next query says so then, and an
    // error that nobody listens to would end the process.
    this.on('error', () => {});
  }
}

const { query } = Client.prototype as unknown as { query: (...args: unknown[]) => unknown };

Object.defineProperty(PreparingClient.prototype, 'query', {
  value: function prepared(this: PreparingClient, ...args: readonly unknown[]): unknown {
    const [text, values, ...rest] = args;
    const name = typeof text === 'string' && Array.isArray(values) && values.length > 0 && nameOf(text);
    return name ? query.call(this, { name, text, values }, ...rest) : query.apply(this, [...args]);
  },
});

/** PostgreSQL cuts names at 63 bytes, so a statement is called by a digest of its text. */
function nameOf(text: string): string | undefined {
  if (names.has(text) || names.size >= MOST_TEXTS) return names.get(text);
  const name = ALL_COLUMNS.test(text) ? undefined : createHash('sha256').update(text).digest('base64url');
  names.set(text, name);
  return name;
}
