import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type TradingStatus,
} from '@depthwire/shared';
import type { Metadata } from '../../core/venue.ts';
import { spotInstrument } from '../../core/spot-instrument.ts';
import type { Pair } from './messages.ts';
import { parseFrame } from './parse.ts';

/** Silence of a book after which it is not trusted to be fresh. */
const STALE_AFTER_MS = 60_000;

/**
 * Instruments from frames of the `instrument` channel, snapshots and updates.
 * @param symbols venue symbols or `BASE-QUOTE`, any case; empty for all that trade
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseInstruments(texts: readonly string[], symbols: readonly string[]): Metadata {
  const pairs = new Map<string, Pair | DepthwireError>();
  for (const text of texts) {
    const frame = parseFrame(text);
    if (frame.kind !== 'instrument')
      throw new DepthwireError('malformed_venue_frame', `expected instruments, got a frame of ${frame.kind}`);
    for (const [symbol, pair] of frame.pairs) pairs.set(symbol, pair);
  }
  const wanted = new Set(symbols.map(normalise));
  const instruments: Instrument[] = [];
  const refused = new Map<string, DepthwireError>();
  for (const [symbol, pair] of pairs) {
    const isWanted = wanted.delete(normalise(symbol));
    if (symbols.length > 0 && !isWanted) continue;
    try {
      if (pair instanceof DepthwireError) throw pair;
      const listed = toInstrument(pair);
      if (symbols.length > 0 || listed.status !== 'closed') instruments.push(listed);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      refused.set(symbol.toUpperCase(), error);
    }
  }
  for (const symbol of wanted)
    refused.set(symbol, new DepthwireError('unknown_symbol', `Kraken lists no ${symbol}`, { symbol }));
  return { instruments, refused };
}

/** `btc-usd` names the pair `BTC/USD`. */
function normalise(symbol: string): string {
  return symbol.toUpperCase().replaceAll('-', '/');
}

/** @throws DepthwireError where an increment is no decimal above zero */
export function toInstrument({
  symbol,
  base,
  quote,
  status,
  priceIncrement,
  qtyIncrement,
}: Pair): Instrument {
  return spotInstrument('kraken', {
    symbol,
    base,
    quote,
    tick: scaleOf(priceIncrement),
    lot: scaleOf(qtyIncrement),
    status: statusOf(status),
    staleAfterMs: STALE_AFTER_MS,
  });
}

/** What a capture without metadata tells: the symbol, and the digits of its numbers. */
export function guessInstrument(symbol: string, tickDecimals: number, lotDecimals: number): Instrument {
  const [base = symbol, quote = ''] = symbol.split('/');
  return spotInstrument('kraken', {
    symbol,
    base,
    quote,
    tick: decimalScale(tickDecimals),
    lot: decimalScale(lotDecimals),
    status: 'trading',
    staleAfterMs: STALE_AFTER_MS,
  });
}

function statusOf(status: string): TradingStatus {
  switch (status) {
    case 'online':
    case 'limit_only':
    case 'reduce_only':
      return 'trading';
    case 'post_only': // "No order matching will occur."
    case 'cancel_only':
    case 'maintenance':
      return 'halted';
    default: // delisted, work_in_progress
      return 'closed';
  }
}
