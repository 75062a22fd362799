import { DepthwireError } from '@depthwire/shared';
import type { VenueAdapter } from './core/venue.ts';
import { binance } from './venues/binance/index.ts';
import { bitstamp } from './venues/bitstamp/index.ts';
import { bitfinex } from './venues/bitfinex/index.ts';
import { bybit } from './venues/bybit/index.ts';
import { coinbase } from './venues/coinbase/index.ts';
import { deribit } from './venues/deribit/index.ts';
import { kraken } from './venues/kraken/index.ts';
import { okx } from './venues/okx/index.ts';

/** Every venue with an adapter, one line each. */
export const venues: readonly VenueAdapter[] = [
  binance,
  bitfinex,
  bitstamp,
  bybit,
  coinbase,
  deribit,
  kraken,
  okx,
];

/** @throws DepthwireError `unknown_venue`, naming those there are */
export function findVenue(name: string, market?: string): VenueAdapter {
  const adapter = venues.find((candidate) => candidate.venue === name);
  if (!adapter) {
    throw new DepthwireError(
      'unknown_venue',
      `no adapter for venue ${name}; there are: ${venues.map((v) => v.venue).join(', ')}`,
    );
  }
  if (market !== undefined && !Object.hasOwn(adapter.markets, market)) {
    throw new DepthwireError(
      'unknown_venue',
      `${name} has no market ${market}; there are: ${Object.keys(adapter.markets).join(', ')}`,
    );
  }
  return adapter;
}
