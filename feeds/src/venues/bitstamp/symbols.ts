import { decimalScale, DepthwireError, type Instrument, type TradingStatus } from '@depthwire/shared';
import type { Metadata } from '../../core/venue.ts';
import type { Market } from './messages.ts';
import { isPerpetualSymbol, parseMarkets } from './parse.ts';

/** Silence of a book after which it is not trusted to be fresh. */
const STALE_AFTER_MS = 60_000;

/**
 * Counter currencies, for captures without metadata only: elsewhere base and quote come from the
 * venue. Longer names first, so that USDT is not read as USD.
 */
const QUOTES = ['EURCV', 'EUROC', 'PYUSD', 'RLUSD', 'USDT', 'USDC', 'EURT', 'EURC', 'USD', 'EUR', 'GBP', 'PAX', 'DAI', 'BTC', 'ETH']; // prettier-ignore

export function marketOfSymbol(symbol: string): string {
  return isPerpetualSymbol(symbol) ? 'perpetual' : 'spot';
}

/**
 * Instruments from the lists of markets.
 * @param symbols venue symbols or `BASE-QUOTE`, any case; empty for all that trade
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseInstruments(
  market: string,
  bodies: readonly string[],
  symbols: readonly string[],
): Metadata {
  const listed = new Map(bodies.flatMap((body) => [...parseMarkets(body)]));
  const wanted = new Set(symbols.map(normalise));
  const instruments: Instrument[] = [];
  const refused = new Map<string, DepthwireError>();
  for (const [symbol, entry] of listed) {
    const isUsable = !(entry instanceof DepthwireError);
    if ((isUsable ? marketOf(entry) : marketOfSymbol(symbol)) !== market) continue;
    const pair = isUsable ? normalise(`${entry.base}${entry.quote}`) : normalise(symbol);
    const isWanted = [wanted.delete(normalise(symbol)), wanted.delete(pair)].includes(true);
    if (symbols.length > 0 && !isWanted) continue;
    if (!isUsable) refused.set(symbol.toUpperCase(), entry);
    else if (symbols.length > 0 || statusOf(entry) !== 'closed') instruments.push(toInstrument(entry));
  }
  for (const symbol of wanted) {
    const error = new DepthwireError('unknown_symbol', `Bitstamp ${market} lists no ${symbol}`, {
      market,
      symbol,
    });
    refused.set(symbol, error);
  }
  return { instruments, refused };
}

/** What a capture without metadata tells: the symbol, and the digits of its numbers. */
export function guessInstrument(symbol: string, tickDecimals: number, lotDecimals: number): Instrument {
  const pair = symbol.replace(/-perp$/, '').toUpperCase();
  const quote = QUOTES.find((asset) => pair.endsWith(asset) && pair.length > asset.length) ?? '';
  return toInstrument({
    symbol,
    base: quote ? pair.slice(0, -quote.length) : pair,
    quote,
    isPerpetual: isPerpetualSymbol(symbol),
    baseDecimals: lotDecimals,
    counterDecimals: tickDecimals,
    trading: 'Enabled',
  });
}

const marketOf = ({ isPerpetual }: Market) => (isPerpetual ? 'perpetual' : 'spot');

/** `btc-usd`, `BTC/USD` and `BTC-USD-PERP` name the symbols `btcusd` and `btcusd-perp`; the market tells which. */
function normalise(symbol: string): string {
  return symbol
    .toUpperCase()
    .replace(/-PERP$/, '')
    .replace(/[-/]/g, '');
}

function toInstrument(market: Market): Instrument {
  const { symbol, base, quote, isPerpetual, baseDecimals, counterDecimals } = market;
  const suffix = isPerpetual ? '-PERP' : '';
  return {
    id: `bitstamp:${base}${quote ? `-${quote}` : ''}${suffix}`,
    venue: 'bitstamp',
    symbol,
    base,
    quote,
    kind: isPerpetual ? 'perpetual' : 'spot',
    name: `${base}${quote ? ` / ${quote}` : ''}${isPerpetual ? ' perpetual' : ''}`,
    tick: decimalScale(counterDecimals),
    lot: decimalScale(baseDecimals),
    status: statusOf(market),
    origin: 'live',
    staleAfterMs: STALE_AFTER_MS,
  };
}

/** A market that is not listed any more is closed; one that is, and does not trade, may trade again. */
function statusOf({ trading }: Market): TradingStatus {
  return trading === 'Enabled' ? 'trading' : 'halted';
}
