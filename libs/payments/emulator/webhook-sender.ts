import http from 'node:http';
import https from 'node:https';

const ANSWER_MILLISECONDS = 10_000;

/**
 * Posts bodies over connections that stay open. By node:http: of the process that has the emulator in a simulated year,
 * `fetch` took a quarter of the time, most of it to make headers.
 */
export class WebhookSender {
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  };
  readonly #underWay = new Set<http.ClientRequest>();

  /** @returns whether it was answered with 2xx in time; redirects are not followed. Never throws */
  async post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
    const target = URL.parse(url);
    if (!target) return false;
    const isSecure = target.protocol === 'https:';
    return new Promise((resolve) => {
      const request = (isSecure ? https : http).request(target, {
        agent: this.#agents[isSecure ? 'https:' : 'http:'],
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      });
      const deadline = setTimeout(() => request.destroy(), ANSWER_MILLISECONDS);
      const end = (isAnswered: boolean) => {
        clearTimeout(deadline);
        this.#underWay.delete(request);
        resolve(isAnswered);
      };
      this.#underWay.add(request);
      request.once('response', (response) => {
        const { statusCode = 0 } = response;
        response.once('close', () => end(response.complete && statusCode >= 200 && statusCode < 300));
        response.resume();
      });
      request.on('error', () => end(false));
      request.end(body);
    });
  }

  close(): void {
    for (const request of this.#underWay) request.destroy();
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}
