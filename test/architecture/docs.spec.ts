import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '#libs/payments';

const root = join(import.meta.dirname, '..', '..');
const pages = globSync(['README.md', 'docs/**/*.md', 'test/*/README.md'], { cwd: root });

describe('the documents', () => {
  it.each(pages)('%s links to files that are there', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, target]) =>
      String(target),
    );
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });

  it('name every event of the payment provider that means something, and no other', () => {
    const text = readFileSync(join(root, 'docs', 'billing.md'), 'utf8');
    const section = text.slice(text.indexOf('The events to choose'));
    const named = [...section.matchAll(/`([a-z_]+(?:\.[a-z_]+)+)`/g)].map(([, type]) => type);
    expect(named.toSorted()).toEqual(Object.values(EVENT_TYPES).flat().toSorted());
  });
});
