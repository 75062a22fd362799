import type { VenueAdapter } from '../../core/venue.ts';
import { coinbaseCapture } from './capture.ts';
import { past } from './past.ts';
import { createCoinbaseSession } from './session.ts';
import { endpoints, limits, productsUrl, socketUrl } from './subscribe.ts';
import { guessInstrument, parseProducts } from './symbols.ts';

/** Coinbase Advanced Trade: whole books under a number for each message of a connection, trades, 24 h statistics. */
export const coinbase: VenueAdapter = {
  venue: 'coinbase',
  markets: endpoints,
  limits,
  metadata: { via: 'http', urls: (_market, base) => [productsUrl(base)] },
  parseMetadata: (_market, texts, symbols) => parseProducts(texts.at(-1)!, symbols),
  guessInstrument: (_market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createCoinbaseSession,
  past,
  capture: coinbaseCapture,
};
