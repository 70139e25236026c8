/** Guests boot by the machine's clock, which nobody moves ahead as money's may be. In ISO 8601. */
export function bootsNow(): { startedAt: string } {
  return { startedAt: new Date().toISOString() };
}

/** @param startedAt of `bootsNow` */
export function secondsSinceBoot(startedAt: string): number {
  return (Date.now() - Date.parse(startedAt)) / 1000;
}
