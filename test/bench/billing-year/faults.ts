import type { FaultPlan } from '#libs/payments/emulator';
import type { Chance } from './chance.ts';
import { type Death, EVENTS } from './messages.ts';

/** A call that takes longer has failed. */
export const TIMEOUT_MILLISECONDS = 1000;

/** What goes wrong with one call in twenty and with one webhook in five, all year long. */
export function lastingFaults(seed: number): FaultPlan {
  return {
    seed,
    api: [
      { match: '*', effect: 'cut_before', probability: 0.006 },
      { match: '*', effect: 'cut_after', probability: 0.01 },
      { match: '*', effect: 'timeout_after', probability: 0.001 },
      { match: '*', effect: 'timeout_before', probability: 0.0005 },
      { match: '*', effect: 'error_500', probability: 0.006 },
      { match: '*', effect: 'error_500_after', probability: 0.008 },
      { match: '*', effect: 'error_429', probability: 0.008 },
      { match: '*', effect: 'error_409', probability: 0.006 },
      { match: '*', effect: 'late_answer', probability: 0.01, milliseconds: 30 },
    ],
    webhooks: [
      { effect: 'lose', probability: 0.04 },
      { effect: 'duplicate', probability: 0.08 },
      { effect: 'delay', probability: 0.05, milliseconds: 120 },
      { effect: 'reorder', probability: 0.05, milliseconds: 60 },
    ],
  };
}

const STEPS: Readonly<Record<string, readonly string[]>> = {
  'collect-invoice': [
    'use-credit',
    'withdraw',
    'ask',
    'draft',
    'add-lines',
    'finalize',
    'collect',
    'collect',
  ],
  'send-refund': ['plan', 'send', 'send'],
  'recharge-credit': ['open', 'charge'],
  [EVENTS]: ['onInvoice', 'onPayment', 'onTopUp', 'onDispute'],
};

/** Most sagas collect, so most workers die of that. */
export function planDeath(chance: Chance): Death {
  const saga = chance.weighted({ 'collect-invoice': 6, 'send-refund': 2, 'recharge-credit': 1, [EVENTS]: 3 });
  const step = chance.pick(STEPS[saga] ?? []);
  const moment = chance.pick(['before', 'after', 'recording', 'recording'] as const);
  return { saga, step, moment, passing: saga === 'recharge-credit' ? 1 : chance.int(1, 4) };
}
