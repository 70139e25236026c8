import type { DynamicModule } from '@nestjs/common';
import { ACCESS_PUBLISHER, directAccess, relayAccess } from './access-publisher.ts';

class AccessModule {}

/** How servers' ports reach their owners: through the relay at `relaySocket`, or directly without one. */
export function accessModule(relaySocket: string | undefined): DynamicModule {
  const publisher = relaySocket === undefined ? directAccess : relayAccess(relaySocket);
  return {
    module: AccessModule,
    global: true,
    providers: [{ provide: ACCESS_PUBLISHER, useValue: publisher }],
    exports: [ACCESS_PUBLISHER],
  };
}
