import type { DynamicModule } from '@nestjs/common';
import { EnvelopeCipher } from './envelope-cipher.ts';

class SecretsModule {}

/** The envelope cipher for every feature that keeps secrets. @param keys as the cipher takes them */
export function secretsModule(keys: readonly [Uint8Array, ...Uint8Array[]]): DynamicModule {
  const cipher = new EnvelopeCipher(keys);
  return {
    module: SecretsModule,
    global: true,
    providers: [{ provide: EnvelopeCipher, useValue: cipher }],
    exports: [EnvelopeCipher],
  };
}
