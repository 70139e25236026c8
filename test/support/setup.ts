import 'reflect-metadata';
import fc from 'fast-check';
import { emptyTestRedis } from './redis.ts';

await emptyTestRedis();

/** So that the report of a property names the error within it, and not only the counterexample. */
fc.configureGlobal({ includeErrorInReport: true });
