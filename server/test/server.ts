import type { Feed } from '@depthwire/feeds';
import type { Clock } from '@depthwire/shared';
import { pino, type Logger } from 'pino';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../src/config/config.ts';
import { createDepthwire, type Depthwire } from '../src/depthwire.ts';
import type { FeedSource } from '../src/engine/feed-source.ts';
import { ScriptedFeed } from './markets.ts';
import { RawClient } from './raw-client.ts';

interface Running {
  readonly depthwire: Depthwire;
  readonly url: string;
  readonly ws: string;
  /** Asks the REST API. */
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Null where it is no JSON. */
  readonly body: unknown;
}

interface More {
  readonly logger?: Logger;
  readonly marketClock?: Clock;
  /** Beside the scripted one. */
  readonly feeds?: readonly (Feed | FeedSource)[];
}

/**
 * A server on a free port; it ends with the test.
 * @param config as the configuration file would have it
 */
export async function serveFeeds(
  feeds: readonly (Feed | FeedSource)[],
  config: object = {},
  { logger = pino({ level: 'silent' }), marketClock }: Omit<More, 'feeds'> = {},
): Promise<Running> {
  const depthwire = await createDepthwire({
    config: parseConfig({
      port: 0,
      ...config,
      history: { store: 'none', ...(config as { history?: object }).history },
    }),
    logger,
    feeds,
    marketClock,
  });
  onTestFinished(() => depthwire.close());
  const url = await depthwire.listen();
  return {
    depthwire,
    url,
    ws: `${url.replace('http', 'ws')}/ws`,
    async get(path, headers = {}, method = 'get') {
      const response = await fetch(`${url}${path}`, { headers, method });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json');
      const body = isJson ? (JSON.parse(text) as unknown) : null;
      return { status: response.status, headers: response.headers, text, body };
    },
  };
}

/** A server with one live book. */
export async function serve(
  config: object = {},
  feed = new ScriptedFeed(),
  { feeds = [], ...more }: More = {},
): Promise<Running & { readonly feed: ScriptedFeed }> {
  const running = await serveFeeds([feed, ...feeds], config, more);
  feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  feed.state('live');
  return { ...running, feed };
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

export const isOp = (op: string) => (message: Record<string, unknown>) => message.op === op;
export const isFrame = (code: number) => (message: Record<number, unknown>) => message[0] === code;
