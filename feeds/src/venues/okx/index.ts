import type { VenueAdapter } from '../../core/venue.ts';
import { okxCapture } from './capture.ts';
import { past } from './past.ts';
import { createOkxSession } from './session.ts';
import { endpoints, instrumentsUrls, limits, socketUrl } from './subscribe.ts';
import { guessInstrument, parseInstruments, type Market } from './symbols.ts';

/** OKX v5, spot, swaps, futures and options: books of 400 levels with their snapshots on the stream, trades. */
export const okx: VenueAdapter = {
  venue: 'okx',
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
  createSession: createOkxSession,
  past,
  capture: okxCapture,
};
