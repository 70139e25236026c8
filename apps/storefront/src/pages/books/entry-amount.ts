/** Millionths of a minor unit have eight decimals of the major one. */
const DECIMALS = { minor: 2, micro: 8 } as const;

interface Amount {
  readonly amount: string;
  readonly unit: 'minor' | 'micro';
  readonly currency: string;
}

/** An amount of the ledger, exact however large it is: `-12.50 EUR`, `0.00000001 EUR`. */
export function formatEntry({ amount, unit, currency }: Amount): string {
  const decimals = DECIMALS[unit];
  const sign = amount.startsWith('-') ? '-' : '';
  const digits = amount.slice(sign.length).padStart(decimals + 1, '0');
  const whole = digits.slice(0, -decimals);
  const rest = digits.slice(-decimals).replace(/(?<=..)0+$/, '');
  return `${sign}${whole}.${rest} ${currency.toUpperCase()}`;
}
