import { describe, expect, it } from 'vitest';
import { button, facts, letter, paragraph } from './index.ts';

const evil = `<img src=x onerror="alert('1')">&amp;`;

describe('a letter', () => {
  it('shows what it is given and interprets nothing of it', () => {
    const blocks = [paragraph(evil), facts([[evil, evil]]), button(evil, 'https://example.org/?a=1&b="2"')];
    const { text, html } = letter(`Hello ${evil}`, blocks);
    expect(html).not.toContain('<img');
    expect(html).not.toMatch(/href="[^"]*"2/);
    expect(html.split('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;')).toHaveLength(6);
    expect(text.split(evil)).toHaveLength(5);
  });

  it('has a subject of one line, however it came to be', () => {
    const { subject } = letter('Invoice\r\nBcc: victim@example.org\u2028\u0000 x', []);
    expect(subject).toBe('Invoice Bcc: victim@example.org  x');
    expect(letter('x'.repeat(500), []).subject).toHaveLength(200);
  });

  it('links to the web alone', () => {
    expect(() => button('Pay', 'javascript:alert(1)')).toThrow(RangeError);
  });

  it('says the same as text, links spelled out', () => {
    const { text } = letter('Hi', [
      paragraph('One.'),
      button('Pay now', 'https://example.org/pay'),
      facts([
        ['No', '7'],
        ['Sum', '1.00'],
      ]),
    ]);
    expect(text).toBe('One.\n\nPay now:\nhttps://example.org/pay\n\nNo   7\nSum  1.00\n');
  });
});
