import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Kind, Kinds } from './kinds.ts';

/** An object as it is now, or what is left of one that was forgotten. */
type Entry = [Kind, { id: string }] | [Kind, { id: string }, 'dropped'];

/**
 * Objects in memory, in order of creation, backed by an append-only file: one line per request, so a request is
 * kept whole or not at all, whenever the process dies.
 */
export class Store {
  readonly #kinds = new Map<Kind, Map<string, { id: string }>>();
  readonly #file: string | undefined;
  #dirty = new Map<string, Entry>();

  constructor(file?: string) {
    this.#file = file;
    if (!file) return;
    mkdirSync(dirname(file), { recursive: true });
    if (existsSync(file)) this.#load(file);
    this.#compact(file);
  }

  get<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    return this.#of(kind).get(id) as Kinds[K] | undefined;
  }

  /** In order of creation. */
  all<K extends Kind>(kind: K): Kinds[K][] {
    return [...this.#of(kind).values()] as Kinds[K][];
  }

  /** Adds or replaces. Objects are never changed in place. */
  put<K extends Kind>(kind: K, object: Kinds[K]): Kinds[K] {
    this.#of(kind).set(object.id, object);
    this.#dirty.set(`${kind} ${object.id}`, [kind, object]);
    return object;
  }

  /** Forgets an object. */
  drop(kind: Kind, id: string): void {
    if (this.#of(kind).delete(id)) this.#dirty.set(`${kind} ${id}`, [kind, { id }, 'dropped']);
  }

  /** Writes what changed since the last commit as one line. */
  commit(): void {
    if (this.#dirty.size === 0) return;
    if (this.#file) appendFileSync(this.#file, `${JSON.stringify([...this.#dirty.values()])}\n`);
    this.#dirty = new Map();
  }

  #of(kind: Kind): Map<string, { id: string }> {
    const known = this.#kinds.get(kind);
    if (known) return known;
    const created = new Map<string, { id: string }>();
    this.#kinds.set(kind, created);
    return created;
  }

  /** A last line without its end was cut by a crash, before any answer was given: it never happened. */
  #load(file: string): void {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    for (const line of lines) {
      for (const [kind, object, dropped] of JSON.parse(line) as Entry[]) {
        if (dropped) this.#of(kind).delete(object.id);
        else this.#of(kind).set(object.id, object);
      }
    }
  }

  #compact(file: string): void {
    const lines = [...this.#kinds].flatMap(([kind, objects]) =>
      [...objects.values()].map((object) => JSON.stringify([[kind, object]])),
    );
    writeFileSync(`${file}.new`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
