import { pino, type Logger } from 'pino';
import type { Feed } from '@depthwire/feeds';
import type { Clock } from '@depthwire/shared';
import { parseConfig, type Config } from '../src/config/config.ts';
import { createDepthwire } from '../src/depthwire.ts';
import type { FeedSource } from '../src/engine/feed-source.ts';
import { ScriptedFeed } from './markets.ts';
import { RawClient } from './raw-client.ts';

/** What is to be undone after each test. */
export const cleanups: (() => unknown)[] = [];

/** For `afterEach`: the latest first. */
export async function undo(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

interface Started {
  readonly logger: Logger;
  /** Beside the scripted one. */
  readonly feeds: readonly (Feed | FeedSource)[];
  readonly marketClock: Clock;
}

/** A server on a free port with one live book, until the test ends. */
export async function start(
  changes: Partial<Config> & { gateway?: Partial<Config['gateway']> } = {},
  feed = new ScriptedFeed(),
  { logger = pino({ level: 'silent' }), feeds = [], marketClock }: Partial<Started> = {},
) {
  const config = parseConfig({ port: 0, ...changes });
  const depthwire = await createDepthwire({ config, logger, feeds: [feed, ...feeds], marketClock });
  const url = await depthwire.listen();
  cleanups.push(() => depthwire.close());
  feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  feed.state('live');
  return { depthwire, feed, url, ws: `${url.replace('http', 'ws')}/ws` };
}

export async function connect(
  ws: string,
  ...rest: ConstructorParameters<typeof RawClient> extends [string, ...infer R] ? R : never
): Promise<RawClient> {
  const client = new RawClient(ws, ...rest);
  cleanups.push(() => client.socket.terminate());
  await client.open();
  return client;
}

export const isOp = (op: string) => (message: Record<string, unknown>) => message.op === op;
export const isFrame = (code: number) => (message: Record<number, unknown>) => message[0] === code;
