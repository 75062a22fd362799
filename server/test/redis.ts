import { onTestFinished } from 'vitest';
import { launchRedis, type Redis, type RedisOptions } from './launch-redis.ts';

export { redisPath, type Redis } from './launch-redis.ts';

/** A real Redis on a free port. It ends with the test. */
export async function startRedis(options?: RedisOptions): Promise<Redis> {
  const redis = await launchRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}
