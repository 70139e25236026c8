export { runAlone } from './advisory-lock.ts';
export { BaseEntity, BigintColumn } from './columns.ts';
export { createDataSource, type DatabaseOptions, type Entity } from './data-source.ts';
export { DatabaseModule } from './database.module.ts';
export { KEPT_OUTPUT_BYTES, keepSlice, type OutputTables, readSlices } from './kept-output.ts';
export { loggedError } from './logged-error.ts';
export { migrate } from './migrate.ts';
export { insertOf, type RowsOf, runStatement, runStatements, type Statement } from './statement.ts';
export {
  type Isolation,
  isRetriable,
  isUniqueViolation,
  runInTransaction,
  sqlConstraint,
  sqlState,
  type TransactionOptions,
} from './transaction.ts';
