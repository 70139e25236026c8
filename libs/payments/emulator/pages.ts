const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1a1f36;--soft:#596171;--line:#d5dbe1;--page:#f6f8fa;--card:#fff;--accent:#4b45c6;
--on:#fff;--bad:#b3093c;--warn:#fff4d6;--warnink:#5c4200}
@media (prefers-color-scheme:dark){:root{--ink:#eceff4;--soft:#a9b3c1;--line:#3b4453;--page:#11151c;--card:#1a202a;
--accent:#a5a0ff;--on:#11151c;--bad:#ff8fa8;--warn:#3a2f12;--warnink:#ffe2a0}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
.banner{background:var(--warn);color:var(--warnink);text-align:center;padding:.6rem 1rem;font-size:.9rem}
main{max-width:27rem;margin:1.5rem auto;padding:0 1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.5rem;box-shadow:0 8px 30px #0001}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .4rem}
p{margin:.2rem 0 1rem;color:var(--soft)}
label,legend{display:block;font-weight:600;font-size:.9rem;margin:.9rem 0 .3rem}
input{width:100%;min-height:2.9rem;padding:.6rem .75rem;font:inherit;color:inherit;background:var(--page);
border:1px solid var(--line);border-radius:9px}
input[aria-invalid=true]{border-color:var(--bad)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.row{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}
.error{color:var(--bad);margin:.35rem 0 0;font-size:.9rem}
.alert{border:1px solid var(--bad);border-radius:9px;padding:.7rem .8rem;color:var(--bad);margin:0 0 .6rem}
button{width:100%;min-height:3rem;margin-top:1.3rem;border:0;border-radius:9px;background:var(--accent);color:var(--on);
font:inherit;font-weight:650;cursor:pointer}
button.plain{background:transparent;color:var(--ink);border:1px solid var(--line);margin-top:.7rem}
a{color:var(--accent)}
.back{display:inline-block;margin-top:1rem}
details{margin-top:1.2rem;border-top:1px solid var(--line);padding-top:1rem}
summary{cursor:pointer;font-weight:600}
ul{list-style:none;margin:.6rem 0 0;padding:0}
li{display:flex;justify-content:space-between;gap:1rem;padding:.45rem 0;border-bottom:1px solid var(--line);font-size:.9rem}
li:last-child{border:0}
h2{font-size:1.1rem;margin:1.4rem 0 0}
.cards form{display:inline}
button.small{width:auto;min-height:2.2rem;margin:0 0 0 .4rem;padding:0 .7rem;font-size:.85rem}
table{width:100%;border-collapse:collapse;font-size:.9rem}
td{padding:.4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td:last-child{text-align:right;white-space:nowrap}
code{font-family:ui-monospace,monospace;white-space:nowrap}
`;

export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Stripe emulator</title>
<style>${STYLE}</style>
</head>
<body>
<div class="banner" role="note"><strong>Stripe emulator: no real money.</strong> Never enter a real card here.</div>
<main><div class="card">
${body}
</div></main>
</body>
</html>
`;
}

/** The bank's page: confirm, refuse, or close the window. */
export function authenticationPage(action: string, secret: string, what: string): string {
  return page(
    'Confirm with your bank',
    `<h1>Your bank asks: is it you?</h1>
<p>3-D Secure test page. ${escapeHtml(what)} To abandon it, close this page.</p>
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="secret" value="${escapeHtml(secret)}">
<button type="submit" name="answer" value="complete">Complete authentication</button>
<button class="plain" type="submit" name="answer" value="fail">Fail authentication</button>
</form>`,
  );
}

export function messagePage(title: string, text: string, link?: string): string {
  const back = link ? `<a href="${escapeHtml(link)}">Go back to the shop</a>` : '';
  return page(title, `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${back}`);
}
