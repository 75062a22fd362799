import type { VenueAdapter } from '../../core/venue.ts';
import { bybitCapture } from './capture.ts';
import { past } from './past.ts';
import { createBybitSession } from './session.ts';
import { endpoints, instrumentsLists, limits, nextInstrumentsUrl, socketUrl } from './subscribe.ts';
import { guessInstrument, parseInstruments, type Market } from './symbols.ts';

/** Bybit v5 spot, linear and inverse: books of 200 levels with their snapshots on the stream, trades. */
export const bybit: VenueAdapter = {
  venue: 'bybit',
  markets: endpoints,
  limits,
  metadata: {
    via: 'http',
    urls: (market, base) => instrumentsLists(market as Market, base),
    next: nextInstrumentsUrl,
  },
  parseMetadata: (market, texts, symbols) => parseInstruments(market as Market, texts, symbols),
  guessInstrument: (market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(market as Market, symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createBybitSession,
  past,
  capture: bybitCapture,
};
