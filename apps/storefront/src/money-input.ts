const AMOUNT = /^(\d{1,7})(?:[.,](\d{1,2}))?$/;

/** An amount as people type it, in minor units: `12`, `12.5` and `12,50`; undefined for what is none. */
export function parseAmount(text: string): number | undefined {
  const [, whole, decimals = ''] = AMOUNT.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  return Number(whole) * 100 + Number(decimals.padEnd(2, '0'));
}

/** Minor units as they stand in a field: `12.50`. */
export function amountText(amountMinor: number): string {
  return (amountMinor / 100).toFixed(2);
}
