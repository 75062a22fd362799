import type { Feed } from '@depthwire/feeds';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { parseConfig, type Config } from '../src/config/config.ts';
import { createDepthwire } from '../src/depthwire.ts';
import type { FeedSource } from '../src/engine/feed-source.ts';

/** A whole server on a free port, for as long as the test lasts. */
export async function startServer(
  feeds: readonly (Feed | FeedSource)[],
  changes: Partial<Omit<Config, 'gateway'>> & { gateway?: Partial<Config['gateway']> } = {},
) {
  const config = parseConfig({ port: 0, ...changes });
  const depthwire = await createDepthwire({ config, logger: pino({ level: 'silent' }), feeds });
  onTestFinished(() => depthwire.close());
  const url = await depthwire.listen();
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, { headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : null) as unknown,
    };
  };
  return { depthwire, url, ws: `${url.replace('http', 'ws')}/ws`, get };
}
