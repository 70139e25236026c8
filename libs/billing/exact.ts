/** A quotient as a whole number: half goes to the even neighbour, so that many roundings lean neither way. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  if (denominator <= 0n) throw new RangeError(`not a denominator: ${denominator}`);
  if (numerator < 0n) return -divideHalfEven(-numerator, denominator);
  const quotient = numerator / denominator;
  const doubled = (numerator % denominator) * 2n;
  if (doubled < denominator) return quotient;
  if (doubled > denominator) return quotient + 1n;
  return quotient + (quotient & 1n);
}
