import { z } from 'zod';
import type { DescribedEndpoint } from '../http/endpoints.ts';

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dee6, #30363d); --soft: light-dark(#5b6673, #9aa4af); }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1.25rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; font: 600 .85rem ui-monospace, monospace; }
code, pre { font: .85rem/1.5 ui-monospace, monospace; }
pre { overflow: auto; padding: .8rem; border: 1px solid var(--line); border-radius: 6px; }
p { margin: .4rem 0; } .soft { color: var(--soft); }
`;

/** The documentation for people: one static page without scripts or anything from elsewhere. */
export function docsPage(endpoints: readonly DescribedEndpoint[], serverUrl: string): string {
  const groups = Map.groupBy(endpoints, ({ group }) => group);
  const sections = [...groups].map(
    ([group, members]) =>
      `<h2 id="${escaped(group)}">${escaped(words(group))}</h2>${members.map(section).join('')}`,
  );
  const links = [...groups.keys()].map(
    (group) => `<a href="#${escaped(group)}">${escaped(words(group))}</a>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Servery API</title><style>${STYLE}</style></head>
<body><main><h1>Servery API</h1>
<p>A superset of the Hetzner Cloud API at <code>${escaped(serverUrl)}/v1</code>: its clients work here by changing one
URL. For machines: <a href="/v1/openapi.json">openapi.json</a>.</p>
<pre>export HCLOUD_ENDPOINT=${escaped(serverUrl)}/v1 HCLOUD_TOKEN=…
hcloud server create --name web-1 --type s1 --image web --ssh-key me</pre>
<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. Errors are <code>{"error": {"code", "message", "details"}}</code>.
Lists take <code>page</code> and <code>per_page</code> (at most 50). Requests that create take an
<code>Idempotency-Key</code>: repeating one has no further effect.</p>
<nav>${links.join(' · ')}</nav>${sections.join('')}</main></body></html>`;
}

/** The SHA-256 of the page's style goes into its Content-Security-Policy. */
export const docsStyle = STYLE;

function section(endpoint: DescribedEndpoint): string {
  const schemas = endpoint.parameters.map(({ place, schema }) =>
    code(`${words(place)} parameters`, schema, 'input'),
  );
  if (endpoint.response) schemas.push(code(`Answer ${endpoint.status}`, endpoint.response, 'output'));
  return `<details><summary><b>${endpoint.method}</b> <code>${escaped(endpoint.path)}</code>
<span class="soft">${escaped(endpoint.summary)}</span></summary>
<p class="soft">Access: ${endpoint.access}${endpoint.idempotent ? '; takes an Idempotency-Key' : ''}</p>
${schemas.join('')}</details>`;
}

function code(title: string, schema: z.ZodType, io: 'input' | 'output'): string {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return `<p>${escaped(title)}</p><pre>${escaped(JSON.stringify(json, null, 2))}</pre>`;
}

function words(name: string): string {
  const spaced = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
