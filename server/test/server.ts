import type { Feed } from '@depthwire/feeds';
import { pino } from 'pino';
import { parseConfig, type Config } from '../src/config/config.ts';
import { createDepthwire } from '../src/depthwire.ts';
import type { FeedSource } from '../src/engine/feed-source.ts';

type Changes = Partial<Omit<Config, 'gateway'>> & { gateway?: Partial<Config['gateway']> };

/** Starts whole servers on free ports, which end as the test does: `serversOf(onTestFinished)`. */
export function serversOf(onEnd: (cleanUp: () => Promise<void>) => void) {
  return async (feeds: readonly (Feed | FeedSource)[], changes: Changes = {}) => {
    const config = parseConfig({ port: 0, ...changes });
    const depthwire = await createDepthwire({ config, logger: pino({ level: 'silent' }), feeds });
    onEnd(() => depthwire.close());
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
  };
}
