import { isLabelKey, isLabelValue } from '#libs/contracts';
import { ListingError } from './listing.errors.ts';

/** One requirement of a label selector; all requirements must hold. */
export type LabelRequirement =
  | { readonly operator: 'exists' | 'missing'; readonly key: string }
  | { readonly operator: 'in' | 'not_in'; readonly key: string; readonly values: readonly string[] };

/** A parsed label selector: the conjunction of its requirements. */
export type LabelSelector = readonly LabelRequirement[];

const SET_BASED = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALITY = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/;

/**
 * Parses `k`, `!k`, `k=v`, `k==v`, `k!=v`, `k in (a,b)` and `k notin (a,b)`, joined by commas.
 * As in Kubernetes, `!=` and `notin` also match where the key is missing.
 * @throws ListingError `invalid_label_selector`
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return [];
  return splitOutsideParentheses(text).map((part) => parseRequirement(part.trim()));
}

/** Whether labels in memory meet every requirement of a selector. */
export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every((requirement) => {
    const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    if (!('values' in requirement)) return (value !== undefined) === (requirement.operator === 'exists');
    const isAmong = value !== undefined && requirement.values.includes(value);
    return requirement.operator === 'in' ? isAmong : !isAmong;
  });
}

/** The canonical text of a selector; parsing it again gives the same selector. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector.map(formatRequirement).join(',');
}

function formatRequirement(requirement: LabelRequirement): string {
  switch (requirement.operator) {
    case 'exists':
      return requirement.key;
    case 'missing':
      return `!${requirement.key}`;
    case 'in':
      return `${requirement.key} in (${requirement.values.join(',')})`;
    case 'not_in':
      return `${requirement.key} notin (${requirement.values.join(',')})`;
  }
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function parseRequirement(text: string): LabelRequirement {
  const set = SET_BASED.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => checkedValue(value.trim(), text));
    return { operator: operator === 'in' ? 'in' : 'not_in', key: checkedKey(key, text), values };
  }
  if (text.startsWith('!')) return { operator: 'missing', key: checkedKey(text.slice(1).trim(), text) };
  const equality = EQUALITY.exec(text);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    return {
      operator: operator === '!=' ? 'not_in' : 'in',
      key: checkedKey(key, text),
      values: [checkedValue(value, text)],
    };
  }
  return { operator: 'exists', key: checkedKey(text, text) };
}

function checkedKey(key: string, part: string): string {
  if (!isLabelKey(key)) throw badSelector(part);
  return key;
}

function checkedValue(value: string, part: string): string {
  if (!isLabelValue(value)) throw badSelector(part);
  return value;
}

function badSelector(part: string): ListingError {
  return new ListingError(
    'invalid_label_selector',
    `"${part.slice(0, 80)}" is not a label selector; write key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)`,
    'label_selector',
  );
}
