import type { MailContent } from './template.ts';

type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'button'; readonly label: string; readonly url: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [name: string, value: string])[] };

const SUBJECT_MAX_CHARACTERS = 200;

/** Words, as plain text: what looks like markup in them stays what it looks like. */
export function paragraph(text: string): Block {
  return { kind: 'paragraph', text };
}

/** A link that stands for itself. @throws RangeError unless `url` is http or https. */
export function button(label: string, url: string): Block {
  if (!/^https?:$/.test(new URL(url).protocol)) throw new RangeError(`not a link of the web: ${url}`);
  return { kind: 'button', label, url };
}

/** A table of two columns, such as an invoice's number and amount. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): Block {
  return { kind: 'facts', rows };
}

/** A mail of these blocks, as text and as HTML that says the same. Whatever they hold is escaped here and only here. */
export function letter(subject: string, blocks: readonly Block[]): MailContent {
  return {
    subject: oneLine(subject).slice(0, SUBJECT_MAX_CHARACTERS),
    text: `${blocks.map(asText).join('\n\n')}\n`,
    html: page(oneLine(subject), blocks.map(asHtml).join('\n')),
  };
}

function asText(block: Block): string {
  if (block.kind === 'paragraph') return oneLine(block.text);
  if (block.kind === 'button') return `${oneLine(block.label)}:\n${block.url}`;
  const width = Math.max(0, ...block.rows.map(([name]) => name.length));
  return block.rows.map(([name, value]) => oneLine(`${name.padEnd(width)}  ${value}`)).join('\n');
}

function asHtml(block: Block): string {
  if (block.kind === 'paragraph') return `<p>${escapeHtml(block.text)}</p>`;
  if (block.kind === 'button') {
    const style =
      'display:inline-block;padding:10px 18px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none';
    const url = escapeHtml(block.url);
    return `<p><a href="${url}" style="${style}">${escapeHtml(block.label)}</a></p>\n<p>${url}</p>`;
  }
  const rows = block.rows.map(
    ([name, value]) =>
      `<tr><th scope="row" style="text-align:left;padding:2px 16px 2px 0">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:36rem;margin:0 auto;overflow-wrap:anywhere">
${body}
</div>
</body>
</html>
`;
}

/** No line break and no other control character: in a subject they would begin a header of their own. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
