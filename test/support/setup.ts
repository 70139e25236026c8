import 'reflect-metadata';
import { emptyTestRedis } from './redis.ts';

await emptyTestRedis();
