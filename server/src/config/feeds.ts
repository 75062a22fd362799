import { venues, type SimulatorOptions, type VenueAdapter } from '@depthwire/feeds';
import { z } from 'zod';
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

const venueFeed = ({ venue, markets }: VenueAdapter) =>
  keys(
    {
      feed: z.literal(venue),
      id: textLike(
        /^[a-z0-9-]{1,40}$/,
        'up to 40 small letters, digits and dashes, such as spot-2',
      ).optional(),
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
    },
    EXAMPLE,
  );

const names = ['sim', ...venues.map(({ venue }) => venue)];

/** Told apart by their name first: what else a feed needs depends on it. */
const feed = z.discriminatedUnion('feed', [simulatorFeed, ...venues.map(venueFeed)], {
  error: ({ code, input }) => {
    if (code !== 'invalid_union') return `expected a feed with its keys, such as ${EXAMPLE}`;
    const { feed: name } = input as { feed?: unknown };
    return name == null
      ? `expected ${either(names)}`
      : `no venue ${String(name)}; there are: ${names.join(', ')}`;
  },
});

export const feedList = list(feed, `feed, such as [${EXAMPLE}]`);

export type FeedConfig = z.infer<typeof feed>;
