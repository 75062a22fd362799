import type { VenueAdapter } from '../../core/venue.ts';
import { binanceCapture } from './capture.ts';
import { past } from './past.ts';
import { createBinanceSession } from './session.ts';
import { endpoints, exchangeInfoUrl, limits, socketUrl } from './subscribe.ts';
import { guessInstrument, parseExchangeInfo, type Market } from './symbols.ts';

/** Binance Spot, USD-M and COIN-M Futures, Binance.US: diff depth stream joined to REST snapshots, trades. */
export const binance: VenueAdapter = {
  venue: 'binance',
  markets: endpoints,
  limits,
  metadata: { via: 'http', urls: (market, base) => [exchangeInfoUrl(market as Market, base)] },
  parseMetadata: (market, texts, symbols) => parseExchangeInfo(market as Market, texts.at(-1)!, symbols),
  guessInstrument: (market, symbol, tickDecimals, lotDecimals) =>
    guessInstrument(market as Market, symbol, tickDecimals, lotDecimals),
  socketUrl,
  createSession: createBinanceSession,
  past,
  capture: binanceCapture,
};
