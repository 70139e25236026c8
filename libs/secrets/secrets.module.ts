import { type DynamicModule, Inject, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EnvelopeCipher } from './envelope-cipher.ts';
import { claimInstallation } from './installation-key.ts';

class SecretsModule implements OnModuleInit {
  private readonly dataSource: DataSource;
  private readonly cipher: EnvelopeCipher;

  constructor(@Inject(DataSource) dataSource: DataSource, @Inject(EnvelopeCipher) cipher: EnvelopeCipher) {
    this.dataSource = dataSource;
    this.cipher = cipher;
  }

  /** Before anything is served or worked on. */
  async onModuleInit(): Promise<void> {
    await claimInstallation(this.dataSource, this.cipher);
  }
}

/**
 * The envelope cipher for every feature that keeps secrets. With keys that are not the installation's the application
 * does not start.
 * @param keys as the cipher takes them
 */
export function secretsModule(keys: readonly [Uint8Array, ...Uint8Array[]]): DynamicModule {
  const cipher = new EnvelopeCipher(keys);
  return {
    module: SecretsModule,
    global: true,
    providers: [{ provide: EnvelopeCipher, useValue: cipher }],
    exports: [EnvelopeCipher],
  };
}
