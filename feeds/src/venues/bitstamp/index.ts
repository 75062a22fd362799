import type { VenueAdapter } from '../../core/venue.ts';
import { bitstampCapture } from './capture.ts';
import { past } from './past.ts';
import { createBitstampSession } from './session.ts';
import { endpoints, limits, marketsList, socketUrl } from './subscribe.ts';
import { guessInstrument, parseInstruments } from './symbols.ts';

/** Bitstamp: diffs joined to REST snapshots and compared with later ones, trades, 24 h figures. */
export const bitstamp: VenueAdapter = {
  venue: 'bitstamp',
  markets: endpoints,
  limits,
  metadata: { via: 'http', urls: (market, base) => [marketsList(market, base)] },
  parseMetadata: parseInstruments,
  guessInstrument: (_market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createBitstampSession,
  past,
  capture: bitstampCapture,
};
