import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { createDataSource, type DatabaseOptions } from './data-source.ts';

/**
 * What runs for long keeps its connections from one burst of work to the next: behind a new one stands a process of
 * PostgreSQL that knows no table, no function and no plan yet, and learning them costs it as much as hundreds of
 * statements.
 */
const IDLE_SECONDS = 600;

/** One PostgreSQL data source for the whole app; features add `TypeOrmModule.forFeature([...])`. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: a dynamic module of Nest is a static method
export class DatabaseModule {
  static forRoot(options: DatabaseOptions & { readonly url: string }): DynamicModule {
    const dataSource = createDataSource(options.url, { idleSeconds: IDLE_SECONDS, ...options });
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...dataSource.options, retryAttempts: 5, retryDelay: 1000 }),
          dataSourceFactory: async () => dataSource.initialize(),
        }),
      ],
    };
  }
}
