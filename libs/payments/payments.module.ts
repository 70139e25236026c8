import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata } from '@nestjs/common';
import type { Clock } from '#libs/kernel';
import { CardsService } from './cards.service.ts';
import { EventTeller } from './event-teller.service.ts';
import { HoldsService } from './holds.service.ts';
import { PaymentCalls } from './payment-calls.service.ts';
import { PAYMENTS_LISTENER, type PaymentsListener } from './payments.listener.ts';
import { PaymentsService } from './payments.service.ts';
import { MONEY_CLOCK, PAYMENT_PROVIDER } from './payments.tokens.ts';
import type { PaymentProvider } from './port.ts';
import { ProviderEvents } from './provider-events.service.ts';
import { TopUpsService } from './top-ups.service.ts';

/** What payments need from the app. */
export interface PaymentsPorts {
  readonly provider: PaymentProvider;
  /** How the listener is made, from what `imports` gives. */
  readonly listener: Pick<FactoryProvider<PaymentsListener>, 'inject' | 'useFactory'>;
  readonly imports?: ModuleMetadata['imports'];
  /** How the clock of money is made. */
  readonly clock: Pick<FactoryProvider<Clock>, 'inject' | 'useFactory'>;
}

class PaymentsPortsModule {}

/** Gives the provider and the listener to the whole app; once, in its root module. */
export function paymentsPorts(ports: PaymentsPorts): DynamicModule {
  return {
    module: PaymentsPortsModule,
    global: true,
    imports: ports.imports ?? [],
    providers: [
      { provide: PAYMENT_PROVIDER, useValue: ports.provider },
      { provide: PAYMENTS_LISTENER, ...ports.listener },
      { provide: MONEY_CLOCK, ...ports.clock },
    ],
    exports: [PAYMENT_PROVIDER, PAYMENTS_LISTENER, MONEY_CLOCK],
  };
}

const faces = [PaymentsService, CardsService, TopUpsService, ProviderEvents, PaymentCalls];

/** Needs {@link paymentsPorts} and a data source in the app. */
@Module({ providers: [...faces, HoldsService, EventTeller], exports: faces })
export class PaymentsModule {}
