import { MutationObserver, onlineManager } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { queryClient } from './query-client.ts';

beforeEach(() => queryClient.mount());
afterEach(() => {
  onlineManager.setOnline(true);
  queryClient.unmount();
});

it('does nothing later that was asked for without a connection', async () => {
  const erase = vi.fn().mockRejectedValue(new Error('no connection'));
  onlineManager.setOnline(false);
  const asked = new MutationObserver(queryClient, { mutationFn: erase });
  const ended = asked.mutate(undefined).catch(() => 'refused');
  await vi.waitFor(() =>
    expect(asked.getCurrentResult().isPaused || asked.getCurrentResult().isError).toBe(true),
  );
  expect(asked.getCurrentResult().isPaused).toBe(false);
  expect(await ended).toBe('refused');
  onlineManager.setOnline(true);
  await queryClient.resumePausedMutations();
  expect(erase).toHaveBeenCalledTimes(1);
});
