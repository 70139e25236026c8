import { sleep } from '#libs/kernel';
import { isHypervisorError } from './hypervisor.errors.ts';

/** Longer than a host takes to notice that a client has left, and a gateway that it has to. */
const PATIENCE_SECONDS = 5;
const PAUSE_MS = 50;

/**
 * Opens a console as soon as who had it before has left it.
 * @throws what `open` throws; `console_busy` once patience has run out
 */
export async function whenFree<T>(open: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isHypervisorError(error, 'console_busy') || performance.now() > deadline) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
