import type { DynamicModule } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** Nest token of the worker's metrics. */
export const REGISTRY = Symbol('Registry');

class RegistryModule {}

export const registryModule: DynamicModule = {
  module: RegistryModule,
  global: true,
  providers: [
    {
      provide: REGISTRY,
      useFactory: () => {
        const registry = new Registry();
        collectDefaultMetrics({ register: registry });
        return registry;
      },
    },
  ],
  exports: [REGISTRY],
};
