import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { beginInLastProject, chooseProject, currentProjectId } from './project.ts';

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

/** A tab of its own, or the one that was there before. */
function lookAt(tab: ReturnType<typeof storage>): void {
  vi.stubGlobal('sessionStorage', tab);
  beginInLastProject();
}

beforeEach(() => vi.stubGlobal('localStorage', storage()));
afterEach(() => vi.unstubAllGlobals());

it('goes on in a new tab where one worked last, and in an old one where that was', () => {
  const [first, second, third] = [storage(), storage(), storage()];
  lookAt(first);
  expect(currentProjectId()).toBeNull();
  lookAt(second);
  chooseProject(7);
  lookAt(third);
  expect(currentProjectId()).toBe(7);
  lookAt(first);
  expect(currentProjectId()).toBeNull();
  chooseProject(null);
  lookAt(storage());
  expect(currentProjectId()).toBeNull();
  lookAt(third);
  expect(currentProjectId()).toBe(7);
});
