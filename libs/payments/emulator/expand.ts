import { paymentOf } from './invoice-objects.ts';
import type { Kind } from './kinds.ts';
import { invalid } from './problem.ts';
import type { World } from './world.ts';

/** Which kind a field's id points to. */
const FIELDS: Readonly<Record<string, Kind>> = {
  customer: 'customer',
  payment_method: 'payment_method',
  default_payment_method: 'payment_method',
  payment_intent: 'payment_intent',
  setup_intent: 'setup_intent',
  latest_charge: 'charge',
  charge: 'charge',
  invoice: 'invoice',
};

/** What a movement of the balance is for may be of several kinds: its id says of which. */
const SOURCES: Readonly<Record<string, Kind>> = { ch: 'charge', re: 'refund', du: 'dispute', po: 'payout' };

type Plain = { [key: string]: unknown };

/** Replaces ids by their objects along each path, as `expand[]` asks: `data.latest_charge`, `customer`. */
export function expandObject(world: World, object: object, paths: readonly string[]): object {
  return paths.reduce<object>(
    (result, path) => expandPath(world, result as Plain, path.split('.'), path),
    object,
  );
}

function expandPath(world: World, node: Plain, path: readonly string[], whole: string): Plain {
  const [field, ...rest] = path;
  if (field === undefined) return node;
  if (field === 'payments' && node.object === 'invoice') {
    return {
      ...node,
      payments: expandValue(world, paymentsOf(world, String(node.id)), field, rest, whole),
    };
  }
  if (!(field in node) || path.length > 4) {
    throw invalid(`This property cannot be expanded (${whole}).`, { param: 'expand' });
  }
  return { ...node, [field]: expandValue(world, node[field], field, rest, whole) };
}

/** An invoice's payments, which it shows only when asked. */
function paymentsOf(world: World, invoiceId: string): Plain {
  const payment = paymentOf(world, invoiceId);
  const url = `/v1/invoice_payments?invoice=${invoiceId}`;
  return { object: 'list', data: payment ? [payment] : [], has_more: false, url };
}

function expandValue(
  world: World,
  value: unknown,
  field: string,
  rest: readonly string[],
  whole: string,
): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item: Plain) => expandPath(world, item, rest, whole));
  if (typeof value === 'object') return expandPath(world, value as Plain, rest, whole);
  const kind = field === 'source' ? SOURCES[String(value).split('_')[0] ?? ''] : fieldKind(field);
  const found = kind && world.store.get(kind, String(value));
  if (!found) throw invalid(`This property cannot be expanded (${whole}).`, { param: 'expand' });
  return expandPath(world, found as unknown as Plain, rest, whole);
}

function fieldKind(field: string): Kind | undefined {
  return Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
}
