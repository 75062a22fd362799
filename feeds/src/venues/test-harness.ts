import { DepthwireError, type CandleInterval, type Instrument } from '@depthwire/shared';
import { scriptSession } from '../kit/index.ts';
import type { CandleAsk, CandlePage, TradeAsk, TradePage, VenueAdapter } from '../core/venue.ts';

export { START_MS } from '../kit/index.ts';

/** A scripted session of a venue whose frames are all JSON. */
export function startBareSession(adapter: VenueAdapter, market: string, instruments: readonly Instrument[]) {
  const run = scriptSession(adapter, market, instruments);
  return {
    ...run,
    /** Frames sent since the last look, parsed. */
    sent: () => run.takeSent().map((text) => JSON.parse(text) as Record<string, unknown>),
    hear(...frames: readonly (object | string)[]) {
      for (const frame of frames) run.hear(frame);
    },
    pass: run.wait,
  };
}

/** JSON values that choke who reads them as a number or a text. */
export const hostileValues: readonly unknown[] = [
  { toString: 1, valueOf: 1 },
  { toJSON: 1, length: -1 },
  { length: 1e9 },
  [[[[[[]]]]]],
  '9'.repeat(40),
  `0.${'0'.repeat(40)}1`,
  '1e999',
  8.7e15,
];

/** The typed error that something throws, null where it throws none; any other passes through. */
export function errorOf(run: () => unknown): DepthwireError | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
}

/** What a venue is asked of the past of one of its symbols; times are the hour before noon of 2026-11-20 unless told. */
export function pastOf(adapter: VenueAdapter, market: string, symbol: string) {
  const nowMs = Date.UTC(2026, 10, 20, 12);
  const endpoints = { ws: 'wss://venue.test', rest: 'https://venue.test' };
  const ask = { market, endpoints, instrument: adapter.guessInstrument(market, symbol, 2, 8), nowMs };
  const nowS = nowMs / 1_000;
  const past = adapter.past!;
  return {
    nowMs,
    nowS,
    intervals: past.intervals(market),
    candles: (interval: CandleInterval, range: Partial<CandleAsk> = {}): CandlePage | null =>
      past.candles({ ...ask, interval, fromS: nowS - 3_600, toS: nowS, ...range }),
    trades: (range: Partial<TradeAsk> = {}): TradePage =>
      past.trades!({ ...ask, fromMs: nowMs - 3_600_000, toMs: nowMs, ...range }),
  };
}
