import type { z } from 'zod';
import { type Answer, request } from './api-client.ts';

/** A customer in front of a browser: the session's cookie instead of a token, and forms of other sites. */
export class BrowserSession {
  readonly #url: string;
  #cookie = '';

  constructor(url: string) {
    this.#url = url;
  }

  get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return this.#send('GET', path, undefined, schema);
  }

  post<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
    return this.#send('POST', path, body, schema);
  }

  /** Posts a form to the page that shows it, without following where it leads. */
  async submitForm(pageUrl: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await fetch(pageUrl, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
  }

  async #send<S extends z.ZodType>(
    method: string,
    path: string,
    body: unknown,
    schema: S,
  ): Promise<z.output<S>> {
    const headers = { cookie: this.#cookie, origin: new URL(this.#url).origin };
    const answer: Answer<S> = await request(this.#url, { method, path, body, headers }, schema);
    const [cookie] = answer.headers.getSetCookie();
    if (cookie) this.#cookie = cookie.slice(0, cookie.indexOf(';'));
    return answer.body;
  }
}
