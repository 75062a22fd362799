import { venues, type SimulatorOptions, type VenueAdapter } from '@depthwire/feeds';
import { DepthwireError } from '@depthwire/shared';
import { z } from 'zod';
import type { FeedOptions, FeedPlugin } from '../plugins/load.ts';
import { either, keys, list, oneOf, text, textLike, url, wholeNumber } from './schema.ts';

const EXAMPLE = '{feed: sim}';

/** What its options may be, the simulator says itself. */
const simulatorFeed = keys(
  {
    feed: z.literal('sim'),
    seed: z.custom<SimulatorOptions['seed']>().optional(),
    instruments: z.custom<SimulatorOptions['instruments']>().optional(),
    rate: z.custom<SimulatorOptions['rate']>().optional(),
    historyDays: z.custom<SimulatorOptions['historyDays']>().optional(),
  },
  EXAMPLE,
);

const feedId = textLike(
  /^[a-z0-9-]{1,40}$/,
  'up to 40 small letters, digits and dashes, such as spot-2',
).optional();

const venueFeed = (name: string, { markets }: VenueAdapter) =>
  keys(
    {
      feed: z.literal(name),
      id: feedId,
      market: oneOf(Object.keys(markets)),
      symbols: list(text('a symbol such as BTC-USDT'), 'symbol, such as [BTC-USDT]'),
      endpoints: keys(
        {
          ws: url(['ws:', 'wss:'], 'wss://stream.example.com:9443').optional(),
          rest: url(['http:', 'https:'], 'https://api.example.com').optional(),
        },
        'rest: https://api.example.com',
      ).optional(),
      httpSpacingMs: wholeNumber(0, 60_000, 250).optional(),
      maxEventsPerSecond: wholeNumber(1, 10_000_000, 50_000).optional(),
    },
    EXAMPLE,
  );

/** What they may hold, the library says itself. */
const libraryKeys = (example: string) =>
  z.record(z.string(), z.unknown(), { error: `expected keys and values, such as ${example}` }).optional();

const ccxtFeed = keys(
  {
    feed: z.literal('ccxt'),
    id: feedId,
    exchange: textLike(/^[a-z0-9]{2,30}$/, 'the name that ccxt has for a venue, such as kraken'),
    symbols: list(text('a symbol such as BTC/USDT'), 'symbol, such as [BTC/USDT]'),
    depth: wholeNumber(1, 5_000, 100).optional(),
    hostname: text('a host name, such as www.okx.com').optional(),
    urls: libraryKeys('{api: {public: "http://127.0.0.1:8000"}}'),
    exchangeOptions: libraryKeys('{defaultType: swap}'),
    maxEventsPerSecond: wholeNumber(1, 10_000_000, 50_000).optional(),
  },
  '{feed: ccxt, exchange: kraken, symbols: [BTC/USD]}',
);

/** Feeds that are no modules of their own. */
export const feedNames = ['sim', ...venues.map(({ venue }) => venue), 'ccxt'];

/** Modules by the name that the configuration has for them, or why they cannot be used. */
export type FeedPlugins = ReadonlyMap<string, FeedPlugin | DepthwireError>;

/** What its options may be, a factory says itself. */
const factoryFeed = (name: string, plugin: FeedPlugin & { kind: 'factory' }) =>
  z
    .looseObject({
      feed: z.literal(name),
      id: feedId,
      maxEventsPerSecond: wholeNumber(1, 10_000_000, 50_000).optional(),
    })
    .transform(({ feed, maxEventsPerSecond, ...options }) => ({
      ...{ feed, maxEventsPerSecond, plugin },
      options: options as FeedOptions & { id?: string },
    }));

const venuePlugin = (name: string, plugin: FeedPlugin & { kind: 'venue' }) =>
  venueFeed(name, plugin.adapter).transform((config) => ({ ...config, plugin }));

function usable<Kind extends FeedPlugin['kind']>(plugins: FeedPlugins, kind: Kind) {
  return [...plugins].filter(
    (entry): entry is [string, FeedPlugin & { kind: Kind }] =>
      !(entry[1] instanceof DepthwireError) && entry[1].kind === kind,
  );
}

/** Told apart by their name first: what else a feed needs depends on it. */
const anyFeed = (plugins: FeedPlugins) =>
  z.discriminatedUnion(
    'feed',
    [
      simulatorFeed,
      ccxtFeed,
      ...venues.map((adapter) => venueFeed(adapter.venue, adapter)),
      ...usable(plugins, 'factory').map(([name, plugin]) => factoryFeed(name, plugin)),
      ...usable(plugins, 'venue').map(([name, plugin]) => venuePlugin(name, plugin)),
    ],
    {
      error: ({ code, input }) => {
        if (code !== 'invalid_union') return `expected a feed with its keys, such as ${EXAMPLE}`;
        const { feed: name } = input as { feed?: unknown };
        const orElse = 'the path of a file, such as ./my-feed.ts, or the name of an installed package';
        if (name == null) return `expected ${either(feedNames)}, ${orElse}`;
        const plugin = plugins.get(String(name));
        if (plugin instanceof DepthwireError && plugin.code === 'invalid_config') return plugin.message;
        const why = plugin instanceof DepthwireError ? ` (${plugin.message})` : '';
        return `no feed ${String(name)}${why}; there are: ${feedNames.join(', ')}, ${orElse}`;
      },
    },
  );

export const feedList = (plugins: FeedPlugins) => list(anyFeed(plugins), `feed, such as [${EXAMPLE}]`);

export type FeedConfig = z.infer<ReturnType<typeof anyFeed>>;
