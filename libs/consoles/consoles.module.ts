import { type DynamicModule, Module } from '@nestjs/common';
import { AuditService } from '#libs/accounts';
import { ConsoleOpenings } from './console-openings.ts';
import { ConsolePasswords } from './console-passwords.ts';
import { ConsoleRequests } from './console-requests.ts';

/** @param secretKey the installation's: 32 bytes in base64 */
export function consolesModule(secretKey: string): DynamicModule {
  return {
    module: ConsolesModule,
    providers: [
      AuditService,
      { provide: ConsolePasswords, useFactory: () => new ConsolePasswords(secretKey) },
      ConsoleOpenings,
      ConsoleRequests,
    ],
    exports: [ConsoleOpenings, ConsoleRequests],
  };
}

@Module({})
class ConsolesModule {}
