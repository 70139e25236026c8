import type { DynamicModule } from '@nestjs/common';
import { EnvelopeCipher } from './envelope-cipher.ts';

class SecretsModule {}

/** The envelope cipher for every feature that keeps secrets. `secretKey`: 32 bytes in base64. */
export function secretsModule(secretKey: string): DynamicModule {
  const cipher = new EnvelopeCipher([Buffer.from(secretKey, 'base64')]);
  return {
    module: SecretsModule,
    global: true,
    providers: [{ provide: EnvelopeCipher, useValue: cipher }],
    exports: [EnvelopeCipher],
  };
}
