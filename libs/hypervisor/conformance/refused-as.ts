import { expect } from 'vitest';
import type { HypervisorErrorCode } from '../hypervisor.errors.ts';

/** Matches what a host refuses by `code`. */
export function refusedAs(code: HypervisorErrorCode) {
  return expect.objectContaining({ name: 'HypervisorError', code });
}
