import { attempt } from '../../core/frame-checks.ts';
import type { VenueAdapter } from '../../core/venue.ts';
import { krakenCapture } from './capture.ts';
import { parseFrame } from './parse.ts';
import { past } from './past.ts';
import { createKrakenSession } from './session.ts';
import { endpoints, instrumentRequest, limits, socketUrl } from './subscribe.ts';
import { guessInstrument, parseInstruments } from './symbols.ts';

/** Kraken Spot, WebSocket API v2: books of 1,000 levels proved by checksums, trades, 24 h statistics. */
export const kraken: VenueAdapter = {
  venue: 'kraken',
  markets: endpoints,
  limits,
  metadata: {
    via: 'socket',
    request: instrumentRequest,
    isAnswer(text) {
      const frame = attempt(() => parseFrame(text));
      return frame?.kind === 'instrument' && frame.isSnapshot;
    },
  },
  parseMetadata: (_market, texts, symbols) => parseInstruments(texts, symbols),
  guessInstrument: (_market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createKrakenSession,
  past,
  capture: krakenCapture,
};
