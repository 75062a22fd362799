import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { postgresPath, startPostgres } from '../test/postgres.ts';
import { redisPath, startRedis } from '../test/redis.ts';

// What the tests of several processes stand on: a database that fails and comes back on the same port.

test.skipIf(redisPath === null)('a Redis that was killed comes back on its port, empty', async () => {
  const redis = await startRedis();
  const ask = async <T>(question: (client: Redis) => Promise<T>) => {
    const client = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on('error', () => undefined);
    return question(client).finally(() => client.disconnect());
  };
  await ask((client) => client.set('a', '1'));
  await redis.kill();
  await expect(ask((client) => client.get('a'))).rejects.toThrow();
  await redis.restart();
  expect(await ask((client) => client.get('a'))).toBeNull();
});

test.skipIf(postgresPath === null)('a PostgreSQL that crashed comes back with its data', async () => {
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => undefined);
  onTestFinished(() => pool.end());
  await pool.query('CREATE TABLE a AS SELECT 1 AS b');
  for (const end of [() => postgres.kill(), () => postgres.stop('immediate'), () => postgres.stop()]) {
    await end();
    await expect(pool.query('SELECT b FROM a')).rejects.toThrow();
    await postgres.restart();
    expect((await pool.query('SELECT b FROM a')).rows).toEqual([{ b: 1 }]);
  }
});
