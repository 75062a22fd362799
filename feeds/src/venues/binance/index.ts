import type { VenueAdapter } from '../../core/venue.ts';
import { binanceCapture } from './capture.ts';
import { createBinanceSession } from './session.ts';
import {
  endpoints,
  exchangeInfoUrl,
  HTTP_SPACING_MS,
  MAX_SYMBOLS,
  SILENCE_MS,
  socketUrl,
} from './subscribe.ts';
import { guessInstrument, parseExchangeInfo, type Market } from './symbols.ts';

/** Binance Spot and USD-M Futures: diff depth stream joined to REST snapshots, trades. */
export const binance: VenueAdapter = {
  venue: 'binance',
  markets: endpoints,
  maxSymbols: MAX_SYMBOLS,
  httpSpacingMs: HTTP_SPACING_MS,
  silenceMs: SILENCE_MS,
  metadataUrl: (market, base) => exchangeInfoUrl(market as Market, base),
  parseMetadata: (market, body, symbols) => parseExchangeInfo(market as Market, body, symbols),
  guessInstrument: (market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(market as Market, symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createBinanceSession,
  capture: binanceCapture,
};
