import { Redis } from 'ioredis';
import { urlHost } from '#libs/kernel';

interface RedisAddress {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  tls?: object;
}

/** How to reach `redis://[:password@]host[:port][/database]` (or `rediss://` with TLS), for ioredis and BullMQ. */
export function redisOptions(url: string): RedisAddress {
  const parsed = new URL(url);
  const database = Number(parsed.pathname.slice(1) || 0);
  return {
    host: urlHost(parsed),
    port: Number(parsed.port || 6379),
    db: database,
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === 'rediss:' && { tls: {} }),
  };
}

/**
 * A connection for commands that someone waits for: while Redis is away they fail within moments instead of
 * piling up. It reconnects by itself.
 */
export function connectRedis(url: string): Redis {
  const redis = new Redis({
    ...redisOptions(url),
    maxRetriesPerRequest: 1,
    connectTimeout: 2000,
    commandTimeout: 2000,
  });
  // Without a listener, each failed reconnection would be printed; whoever runs a command learns of it.
  redis.on('error', () => {});
  return redis;
}
