import { expect, test } from 'vitest';
import { pino } from 'pino';
import { ScriptedFeed } from '../../test/markets.ts';
import { parseConfig } from '../config/config.ts';
import { createDepthwire } from '../depthwire.ts';

/** Ends only when it is let. */
class SlowFeed extends ScriptedFeed {
  readonly ended = Promise.withResolvers<void>();

  override async stop(): Promise<void> {
    await this.ended.promise;
    await super.stop();
  }
}

test('live from the first moment to the last, ready only in between', async () => {
  const feed = new SlowFeed();
  const depthwire = await createDepthwire({
    config: parseConfig({ port: 0, history: { store: 'none' } }),
    logger: pino({ level: 'silent' }),
    feeds: [feed],
  });
  const { app } = depthwire;
  const ask = async (path: string) => {
    const { statusCode, body } = await app.inject(path);
    return [statusCode, (JSON.parse(body) as { status: string }).status];
  };
  expect(await ask('/api/v1/live')).toEqual([200, 'live']);
  expect(await ask('/api/v1/ready')).toEqual([503, 'unavailable']);

  const url = await depthwire.listen();
  const reach = async (path: string) => (await fetch(url + path)).status;
  expect([await reach('/api/v1/live'), await reach('/api/v1/ready')]).toEqual([200, 200]);
  expect(await ask('/api/v1/ready')).toEqual([200, 'ready']);

  const closing = depthwire.close();
  expect([await reach('/api/v1/live'), await reach('/api/v1/ready')]).toEqual([200, 503]);
  expect(await reach('/api/v1/health')).toBe(503);
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^depthwire_ready 0$/m);
  feed.ended.resolve();
  await closing;
  await expect(reach('/api/v1/live')).rejects.toThrow('fetch failed');
});
