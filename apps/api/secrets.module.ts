import { type DynamicModule, Module } from '@nestjs/common';
import type { Environment } from '#libs/config';
import { EnvelopeCipher } from '#libs/secrets';

@Module({})
class SecretsModule {}

/** The envelope cipher for every feature that keeps secrets. */
export function secretsModule(environment: Environment): DynamicModule {
  const cipher = new EnvelopeCipher([Buffer.from(environment.SERVERY_SECRET_KEY, 'base64')]);
  return {
    module: SecretsModule,
    global: true,
    providers: [{ provide: EnvelopeCipher, useValue: cipher }],
    exports: [EnvelopeCipher],
  };
}
