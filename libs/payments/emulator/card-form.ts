import type { Stripe } from '../stripe/types.ts';
import { escapeHtml } from './pages.ts';
import { makeCard } from './payment-methods.ts';
import { StripeProblem } from './problem.ts';
import type { Fields, Reply } from './reply.ts';
import type { World } from './world.ts';

/** What a customer typed, shown again after a refusal. */
export interface CardEntry {
  readonly number: string;
  readonly expiry: string;
  readonly cvc: string;
  readonly name: string;
}

/** A refusal, and the field that it is about. */
export interface EntryError {
  readonly field: 'number' | 'expiry' | 'cvc' | 'form';
  readonly message: string;
}

export const NO_ENTRY: CardEntry = { number: '', expiry: '', cvc: '', name: '' };

/** The form filled with the test card that `?fill=` names, or empty. */
export function prefilled(query: Fields): CardEntry {
  const number = query.fill ?? '';
  if (!/^\d{12,19}$/.test(number)) return NO_ENTRY;
  return { number, expiry: '12 / 34', cvc: number.startsWith('3') ? '1234' : '123', name: 'Test Customer' };
}

/**
 * Reads a card from a form and hands it on; where it is incomplete, or the bank or `use` refuses it, the form is
 * shown `again` with the reason.
 */
export function enterCard(
  world: World,
  body: Fields,
  use: (method: Stripe.PaymentMethod) => Reply,
  again: (entry: CardEntry, error: EntryError, status: number) => Reply,
): Reply {
  const entry = readEntry(body);
  const expiry = /^(0?[1-9]|1[0-2])\s*\/?\s*(?:20)?(\d{2})$/.exec(entry.expiry.trim());
  const missing = incomplete(entry);
  if (missing) return again(entry, missing, 400);
  if (!expiry) return again(entry, { field: 'expiry', message: NO_DATE }, 400);
  try {
    const date = { exp_month: Number(expiry[1]), exp_year: 2000 + Number(expiry[2]) };
    return use(makeCard(world, { number: entry.number, ...date, cvc: entry.cvc }, { name: entry.name }));
  } catch (error) {
    if (!(error instanceof StripeProblem)) throw error;
    return again(entry, entryError(error), 402);
  }
}

const NO_DATE = 'Enter the expiry date as month / year, for example 08 / 30.';

function readEntry(body: Fields): CardEntry {
  const read = (name: keyof CardEntry) => (body[name] ?? '').slice(0, 100);
  return { number: read('number'), expiry: read('expiry'), cvc: read('cvc'), name: read('name') };
}

function incomplete(entry: CardEntry): EntryError | undefined {
  if (entry.number.trim() === '') return { field: 'number', message: 'Enter your card number.' };
  if (entry.expiry.trim() === '') return { field: 'expiry', message: NO_DATE };
  if (entry.cvc.trim() === '') return { field: 'cvc', message: "Enter your card's security code." };
  return undefined;
}

function entryError(problem: StripeProblem): EntryError {
  const { code = '', message } = problem.body;
  if (code === 'incorrect_number') return { field: 'number', message };
  if (code === 'invalid_cvc' || code === 'incorrect_cvc') return { field: 'cvc', message };
  if (code.startsWith('invalid_expiry') || code === 'expired_card') return { field: 'expiry', message };
  return { field: 'form', message };
}

const TEST_CARDS: readonly (readonly [string, string])[] = [
  ['4242 4242 4242 4242', 'works'],
  ['5555 5555 5555 4444', 'works (Mastercard)'],
  ['4000 0025 0000 3155', 'asks you to confirm once'],
  ['4000 0027 6000 3184', 'asks you to confirm each time'],
  ['4000 0000 0000 0341', 'is saved, then every payment fails'],
  ['4000 0000 0000 0259', 'pays, then the payment is disputed'],
  ['4000 0000 0000 0002', 'is declined'],
  ['4000 0000 0000 9995', 'has too little money'],
  ['4000 0000 0000 0069', 'is expired'],
  ['4000 0000 0000 0127', 'wrong security code'],
];

export interface CardFormOptions {
  /** Where the form is sent; the page itself lies there too. */
  readonly action: string;
  readonly button: string;
  readonly entry: CardEntry;
  readonly error: EntryError | undefined;
  /** Fields that go along unseen. */
  readonly hidden?: Readonly<Record<string, string>>;
}

/** The form for a card, and below it the test cards that fill it. */
export function cardForm({ action, button, entry, error, hidden = {} }: CardFormOptions): string {
  const alert =
    error?.field === 'form' ? `<p class="alert" role="alert">${escapeHtml(error.message)}</p>` : '';
  const unseen = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`,
  );
  const to = escapeHtml(action);
  return `${alert}
<form method="post" action="${to}" novalidate>
${unseen.join('')}
${field('number', 'Card number', entry.number, error, 'inputmode="numeric" autocomplete="cc-number" placeholder="1234 1234 1234 1234" maxlength="24"')}
<div class="row">
<div>${field('expiry', 'Expiry (MM / YY)', entry.expiry, error, 'inputmode="numeric" autocomplete="cc-exp" placeholder="MM / YY" maxlength="9"')}</div>
<div>${field('cvc', 'Security code', entry.cvc, error, 'inputmode="numeric" autocomplete="cc-csc" placeholder="CVC" maxlength="4"')}</div>
</div>
${field('name', 'Name on card', entry.name, error, 'autocomplete="cc-name" maxlength="100"')}
<button type="submit">${escapeHtml(button)}</button>
</form>
<details><summary>Test cards</summary>
<p>Any future date, any security code. Choose one to fill the form.</p>
<ul>${TEST_CARDS.map(([number, effect]) => testCard(to, number, effect)).join('')}</ul>
</details>`;
}

function testCard(action: string, number: string, effect: string): string {
  const fill = `${action}?fill=${number.replaceAll(' ', '')}`;
  return `<li><a href="${fill}"><code>${number}</code></a><span>${escapeHtml(effect)}</span></li>`;
}

function field(
  name: EntryError['field'] | 'name',
  label: string,
  value: string,
  error: EntryError | undefined,
  more: string,
): string {
  const isWrong = error?.field === name;
  const message = isWrong
    ? `<p class="error" id="${name}-error" role="alert">${escapeHtml(error.message)}</p>`
    : '';
  const state = isWrong ? `aria-invalid="true" aria-describedby="${name}-error" autofocus` : '';
  return `<label for="${name}">${label}</label>
<input id="${name}" name="${name}" value="${escapeHtml(value)}" ${more} ${state}>${message}`;
}
