import type { VenueAdapter } from '../../core/venue.ts';
import { bitfinexCapture } from './capture.ts';
import { past } from './past.ts';
import { createBitfinexSession } from './session.ts';
import { endpoints, limits, metadataLists, socketUrl } from './subscribe.ts';
import { guessInstrument, parseListing } from './symbols.ts';

/** Bitfinex spot: 100 levels in band, numbered frames, checksums; trades, 24 h figures. */
export const bitfinex: VenueAdapter = {
  venue: 'bitfinex',
  markets: endpoints,
  limits,
  metadata: { via: 'http', urls: (_market, base) => metadataLists(base) },
  parseMetadata: (_market, texts, symbols) => parseListing(texts, symbols),
  guessInstrument: (_market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createBitfinexSession,
  past,
  capture: bitfinexCapture,
};
