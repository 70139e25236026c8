import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

const GRAVE = new Set(['serious', 'critical']);

/** What axe holds to be serious or critical on the page as it is shown now, by all of its rules or those that are named. */
export async function graveViolations(page: Page, ...rules: string[]): Promise<string[]> {
  // Base UI's guards stand at the ends of an open menu to pass the focus on; nobody stays on one.
  const axe = new AxeBuilder({ page }).exclude('[data-base-ui-focus-guard]');
  if (rules.length > 0) axe.withRules(rules);
  const { violations } = await axe.analyze();
  return violations
    .filter((violation) => GRAVE.has(violation.impact ?? ''))
    .map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(' | ')}`);
}

/** By how many pixels the page is wider than its window, once it has been drawn there. */
export function overflow(page: Page): Promise<number> {
  // A window of a new size is told to media queries with the next frame; until then the styles are those of the old.
  return page.evaluate<number>(`new Promise((resolve) => {
    const { documentElement: root } = document;
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(root.scrollWidth - root.clientWidth)));
  })`);
}
