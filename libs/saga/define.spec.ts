import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { deps, saga, sagaRequest, withDeps } from './define.ts';

interface OrderDeps {
  readonly pay: { hold(amountMinor: number): Promise<string> };
}
const request = sagaRequest('order', z.object({ amountMinor: z.int() }));

const order = saga(request, deps<OrderDeps>())
  .step('hold', {
    do: async ({ params, deps: { pay } }) => ({ holdId: await pay.hold(params.amountMinor) }),
    undo: async ({ output, outputs, reason }) => {
      expectTypeOf(output).toEqualTypeOf<{ holdId: string } | undefined>();
      expectTypeOf(outputs).toEqualTypeOf<object>();
      expectTypeOf(reason.code).toBeString();
    },
  })
  .step('reserve', {
    transact: async (_manager, { outputs }) => {
      expectTypeOf(outputs.hold.holdId).toBeString();
      return { hostId: 7 };
    },
    undoTransact: async (_manager, { output }) => {
      expectTypeOf(output).toEqualTypeOf<{ hostId: number } | undefined>();
    },
  })
  .wait('ready', {
    deadlineSeconds: 10,
    everySeconds: 1,
    check: async ({ outputs }) => (outputs.reserve.hostId === 7 ? { address: '10.0.0.1' } : undefined),
    noUndo: 'nothing made',
  })
  .pointOfNoReturn('the customer has paid')
  .step('announce', {
    do: async ({ outputs }) => {
      expectTypeOf(outputs.ready.address).toBeString();
    },
  })
  .build();

describe('the definition of a saga', () => {
  it('keeps its steps in order, with the point of no return', () => {
    expect(order.steps.map((step) => step.name)).toEqual(['hold', 'reserve', 'ready', 'announce']);
    expect(order.pointOfNoReturn).toBe(3);
    expect(order.steps[3]?.noUndo).toBe('the customer has paid');
    expect(order.steps[2]?.wait).toEqual({ deadlineSeconds: 10, everySeconds: 1 });
  });

  it('refuses two steps of one name, and a saga without steps', () => {
    const once = saga(request, deps<object>()).step('a', { do: async () => 1, noUndo: 'nothing made' });
    expect(() => once.step('a', { do: async () => 1, noUndo: 'nothing made' }).build()).toThrow(/two steps/);
    expect(() => saga(request, deps<object>()).build()).toThrow(/no steps/);
  });

  it('asks for an undo, or for the reason why there is none', () => {
    // @ts-expect-error a step must say how it is taken back
    saga(request, deps<object>()).step('a', { do: async () => 1 });
    // @ts-expect-error the dependencies must fit
    withDeps(order, {});
    const forward = saga(request, deps<object>()).pointOfNoReturn('paid');
    forward.step('a', {
      do: async () => 1,
      // @ts-expect-error nothing is taken back past the point of no return
      undo: async () => undefined,
    });
    expect(withDeps(order, { pay: { hold: async () => 'h' } }).definition.name).toBe('order');
  });
});
