export interface ConsoleLimits {
  /** How long nothing may pass, either way. */
  readonly idleSeconds: number;
  /** How long a console may be open at all. */
  readonly openSeconds: number;
  /** How often it is asked whether an open console still may be. */
  readonly lookEverySeconds: number;
}

export const CONSOLE_LIMITS = Symbol('ConsoleLimits');
export const consoleLimits: ConsoleLimits = {
  idleSeconds: 15 * 60,
  openSeconds: 4 * 3600,
  lookEverySeconds: 1,
};
