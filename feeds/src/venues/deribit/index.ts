import type { VenueAdapter } from '../../core/venue.ts';
import { deribitCapture } from './capture.ts';
import { past } from './past.ts';
import { createDeribitSession } from './session.ts';
import { endpoints, instrumentsUrls, limits, socketUrl } from './subscribe.ts';
import { guessInstrument, parseInstruments, type Market } from './symbols.ts';

/** Deribit options, futures with perpetuals, and spot: the whole book in band, trades, 24 h figures. */
export const deribit: VenueAdapter = {
  venue: 'deribit',
  markets: endpoints,
  limits,
  metadata: {
    via: 'http',
    urls: (market, base, symbols) => instrumentsUrls(market as Market, base, symbols),
  },
  parseMetadata: (market, texts, symbols) => parseInstruments(market as Market, texts, symbols),
  guessInstrument: (_market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createDeribitSession,
  past,
  capture: deribitCapture,
};
