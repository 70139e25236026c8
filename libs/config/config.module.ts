import type { DynamicModule } from '@nestjs/common';
import type { Environment } from './environment.ts';
import { loadEnvironment } from './load-environment.ts';

/** The token under which the parsed {@link Environment} is injected. */
export const ENVIRONMENT = Symbol('Environment');

class ConfigModule {}

/** Gives the parsed environment to every module of an app. No decorator, so that plain Node loads this file. */
export function configModule(environment: Environment = loadEnvironment()): DynamicModule {
  return {
    module: ConfigModule,
    global: true,
    providers: [{ provide: ENVIRONMENT, useValue: environment }],
    exports: [ENVIRONMENT],
  };
}
