import { onTestFinished } from 'vitest';
import { pino, type Logger } from 'pino';
import type { Feed } from '@depthwire/feeds';
import { parseConfig } from '../src/config/config.ts';
import { createDepthwire, type Depthwire } from '../src/depthwire.ts';
import { ScriptedFeed } from './markets.ts';
import { RawClient } from './raw-client.ts';

interface Serving {
  readonly depthwire: Depthwire;
  readonly feed: ScriptedFeed;
  readonly url: string;
  readonly ws: string;
}

/** A server on a free port with one live book; it ends with the test. */
export async function serve(
  config: object = {},
  feed = new ScriptedFeed(),
  { logger = pino({ level: 'silent' }), feeds = [] }: { logger?: Logger; feeds?: readonly Feed[] } = {},
): Promise<Serving> {
  const depthwire = await createDepthwire({
    config: parseConfig({ port: 0, ...config }),
    logger,
    feeds: [feed, ...feeds],
  });
  onTestFinished(() => depthwire.close());
  const url = await depthwire.listen();
  feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  feed.state('live');
  return { depthwire, feed, url, ws: `${url.replace('http', 'ws')}/ws` };
}

/** A client that the test ends. */
export async function connect(
  ws: string,
  encoding: ConstructorParameters<typeof RawClient>[1] = 'json',
  options: ConstructorParameters<typeof RawClient>[2] = {},
): Promise<RawClient> {
  const client = new RawClient(ws, encoding, options);
  onTestFinished(() => client.socket.terminate());
  await client.open();
  return client;
}
