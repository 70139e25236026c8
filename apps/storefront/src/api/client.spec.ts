import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ApiError, call, nothing } from './client.ts';

const contract = z.object({ answer: z.number() });

function answerWith(status: number, body: unknown): void {
  const response = status === 204 ? new Response(null, { status }) : Response.json(body, { status });
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => response),
  );
}

describe('the way to the API', () => {
  beforeEach(() => {
    vi.stubGlobal('sessionStorage', { getItem: () => null });
    vi.spyOn(console, 'error').mockReturnValue();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it('gives what the contract names, and nothing for no content', async () => {
    answerWith(200, { answer: 42, more: 'than agreed' });
    expect(await call('/x', contract)).toEqual({ answer: 42 });
    answerWith(204, null);
    expect(await call('/x', nothing, { method: 'DELETE' })).toBeNull();
  });

  it('turns a refusal into its code and the fields that it names', async () => {
    const fields = [{ name: 'name', messages: ['is taken', 'is too long'] }];
    answerWith(422, { error: { code: 'invalid_input', message: 'invalid input', details: { fields } } });
    await expect(call('/x', contract)).rejects.toMatchObject({
      status: 422,
      code: 'invalid_input',
      fields: { name: 'is taken is too long' },
    });
  });

  it('does not take an answer that is not what was agreed', async () => {
    answerWith(200, { answer: 'forty-two' });
    await expect(call('/x', contract)).rejects.toMatchObject({ code: 'contract' });
  });

  it('says so when there is no connection, and when the refusal is none of ours', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('Failed to fetch')));
    await expect(call('/x', contract)).rejects.toEqual(
      new ApiError(0, 'network', 'Servery cannot be reached. Check your connection, then try again.'),
    );
    answerWith(502, 'Bad Gateway');
    await expect(call('/x', contract)).rejects.toMatchObject({ status: 502, code: 'service_error' });
  });

  it('sends its body as JSON with the key that makes it safe to repeat', async () => {
    answerWith(201, { answer: 1 });
    await call('/x', contract, { method: 'POST', body: { a: 1 }, idempotencyKey: 'once' });
    const [url, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(url).toBe('/v1/x');
    expect(init?.body).toBe('{"a":1}');
    expect(new Headers(init?.headers).get('idempotency-key')).toBe('once');
    expect(new Headers(init?.headers).get('content-type')).toBe('application/json');
  });
});
