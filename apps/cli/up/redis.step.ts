import { ensureRedis } from '../services/redis.ts';
import type { Step } from './step.ts';

export const redisStep: Step = {
  title: 'Redis',
  log: 'redis',
  async run(up) {
    const given = process.env.REDIS_URL;
    up.redisUrl = given || (await ensureRedis({ folder: up.folder }));
    return `${given ? 'from REDIS_URL' : 'private'}, at ${new URL(up.redisUrl).host}`;
  },
};
