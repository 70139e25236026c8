import { describe, expect, it } from 'vitest';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
const password = 'a long enough password';

describe('accounts', () => {
  it('signs up, and is signed in by the cookie', async () => {
    const answer = await api.current.request('POST', '/v1/accounts', {
      body: { email: 'a@example.com', password },
    });
    expect(answer.body).toBe('');
    expect(answer.statusCode).toBe(201);
  });
  it('docs', async () => {
    const answer = await api.current.request('GET', '/v1/openapi.json');
    expect(answer.statusCode).toBe(200);
    expect((await api.current.request('GET', '/docs')).statusCode).toBe(200);
  });
});
