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

/** The sum of decimals that all have the same number of digits behind the point, exact. */
export function sumExact(decimals: readonly string[]): string {
  const digits = decimals[0]?.split('.')[1]?.length ?? 0;
  const sum = decimals.reduce((total, decimal) => total + BigInt(decimal.replace('.', '')), 0n);
  const sign = sum < 0n ? '-' : '';
  const text = String(sum)
    .slice(sign.length)
    .padStart(digits + 1, '0');
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
