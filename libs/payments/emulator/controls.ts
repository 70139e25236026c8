import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { closeDispute, escalateInquiry, openDispute } from './disputes.ts';
import { type Faults, faultsSchema } from './faults.ts';
import { ledgerOf } from './ledger.ts';
import { failPayout, payOut } from './payouts.ts';
import { StripeProblem } from './problem.ts';
import { failRefund } from './refunds.ts';
import type { World } from './world.ts';

/** What the controls reach. */
export interface Levers {
  readonly world: World;
  readonly faults: Faults;
  /** Moves the emulator's clock. */
  readonly advance: (seconds: number) => void;
  /** Events that still want to be answered. */
  readonly pendingWebhooks: () => number;
}

const clockSchema = z.strictObject({
  advanceSeconds: z
    .int()
    .min(1)
    .max(366 * 86_400),
});
const disputeSchema = z.strictObject({
  /** `ch_…` or `pi_…`. */
  payment: z.string(),
  amountMinor: z.int().min(1).optional(),
  reason: z.string().default('fraudulent'),
  isInquiry: z.boolean().default(false),
});
const outcomeSchema = z.strictObject({ outcome: z.enum(['won', 'lost']) });

/** A customer goes to their bank about a payment. @throws StripeProblem. */
export function disputePayment(world: World, asked: z.input<typeof disputeSchema>): { id: string } {
  const { payment, amountMinor: amount, reason, isInquiry } = disputeSchema.parse(asked);
  const intent = payment.startsWith('pi_') ? world.find('payment_intent', payment) : undefined;
  const charge = world.find('charge', intent ? String(intent.latest_charge) : payment);
  return openDispute(world, charge, { reason, amount, isInquiry });
}

/** The levers of tests, which real Stripe does not have. JSON only, so no web page can pull them by a form. */
export function addControls(app: FastifyInstance, levers: Levers): void {
  const { world, faults, advance, pendingWebhooks } = levers;
  const post = <S extends z.ZodType>(
    path: string,
    schema: S,
    act: (asked: z.output<S>, id: string) => object,
  ) =>
    app.post<{ Params: { id?: string } }>(`/_emulator/${path}`, (request, reply) => {
      const asked = schema.safeParse(request.body);
      if (!asked.success) return reply.code(400).send({ error: { message: z.prettifyError(asked.error) } });
      try {
        return act(asked.data, request.params.id ?? '');
      } catch (error) {
        if (!(error instanceof StripeProblem)) throw error;
        return reply.code(error.status).send({ error: error.body });
      } finally {
        world.store.commit();
      }
    });
  app.get('/_emulator/ledger', () => ledgerOf(world));
  app.get('/_emulator/health', () => ({
    isEmulator: true,
    now: world.now(),
    pendingWebhooks: pendingWebhooks(),
  }));
  app.get('/_emulator/faults', () => faults.pending());
  app.delete('/_emulator/faults', () => {
    faults.clear();
    return faults.pending();
  });
  post('faults', faultsSchema, (plan) => {
    faults.add(plan);
    return faults.pending();
  });
  post('clock', clockSchema, ({ advanceSeconds }) => {
    advance(advanceSeconds);
    return { now: world.now() };
  });
  post('disputes', disputeSchema, (asked) => disputePayment(world, asked));
  post('disputes/:id/escalate', z.strictObject({}), (_asked, id) =>
    escalateInquiry(world, world.find('dispute', id, 'dispute')),
  );
  post('refunds/:id/fail', z.strictObject({}), (_asked, id) => failRefund(world, id));
  post('payouts', z.strictObject({}), () => ({ payouts: payOut(world) }));
  post('payouts/:id/fail', z.strictObject({}), (_asked, id) => failPayout(world, id));
  post('disputes/:id/close', outcomeSchema, ({ outcome }, id) =>
    closeDispute(world, world.find('dispute', id, 'dispute'), outcome),
  );
}
