import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type InstrumentKind,
  type TradingStatus,
} from '@depthwire/shared';
import type { Metadata } from '../../core/venue.ts';

export type Market = 'spot' | 'usdm' | 'coinm' | 'us';

/** Binance.US is a venue of its own with the rules of Binance Spot. */
export const isSpot = (market: Market) => market === 'spot' || market === 'us';

/** Silence of a diff stream after which the venue's book is not trusted to be fresh. */
const STALE_AFTER_MS = 60_000;

/**
 * Quote assets, for captures without metadata only: elsewhere base and quote come from the
 * venue. Longer names first, so that FDUSD is not read as USD.
 */
const QUOTES = [
  'FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USDP', 'BIDR', 'IDRT', 'BVND', 'USD1',
  'DAI', 'TRY', 'EUR', 'GBP', 'AUD', 'BRL', 'RUB', 'UAH', 'ZAR', 'PLN', 'RON', 'ARS', 'MXN', 'COP', 'CZK', 'JPY', 'NGN',
  'BTC', 'ETH', 'BNB', 'XRP', 'TRX', 'DOGE', 'DOT', 'SOL', 'PAX', 'VAI', 'USD',
]; // prettier-ignore

interface SymbolInfo {
  readonly symbol: string;
  readonly status?: string;
  readonly contractStatus?: string;
  readonly contractType?: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly filters?: readonly (Record<string, unknown> | null)[];
}

/**
 * Instruments from `exchangeInfo`.
 * @param symbols venue symbols or `BASE-QUOTE`, any case; empty for all that trade
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseExchangeInfo(market: Market, body: string, symbols: readonly string[]): Metadata {
  let infos: unknown;
  try {
    infos = (JSON.parse(body) as { symbols?: unknown } | null)?.symbols;
  } catch (error) {
    throw new DepthwireError(
      'malformed_venue_frame',
      `exchangeInfo: not JSON: ${(error as Error).message}`,
      {},
      error,
    );
  }
  if (!Array.isArray(infos))
    throw new DepthwireError('malformed_venue_frame', 'exchangeInfo: expected symbols, an array');
  const wanted = new Set(symbols.map(normalise));
  const instruments: Instrument[] = [];
  const refused = new Map<string, DepthwireError>();
  for (const info of infos as unknown[]) {
    if (!isSymbolInfo(info)) {
      throw new DepthwireError(
        'malformed_venue_frame',
        'exchangeInfo: expected symbol, baseAsset and quoteAsset in every entry of symbols',
      );
    }
    const symbol = normalise(info.symbol);
    // A dated future and the perpetual share base and quote: the pair means the perpetual.
    const pair =
      isSpot(market) || isPerpetual(market, info) ? normalise(`${info.baseAsset}${info.quoteAsset}`) : symbol;
    const isWanted = wanted.delete(symbol) || wanted.delete(pair);
    if (symbols.length > 0 ? !isWanted : statusOf(info) === 'closed') continue;
    try {
      instruments.push(toInstrument(market, info));
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      refused.set(info.symbol, error);
    }
  }
  for (const symbol of wanted) {
    refused.set(
      symbol,
      new DepthwireError('unknown_symbol', `Binance ${market} lists no ${symbol}`, { market, symbol }),
    );
  }
  return { instruments, refused };
}

function isSymbolInfo(value: unknown): value is SymbolInfo {
  const info = value as Partial<SymbolInfo> | null;
  const isNamed = [info?.symbol, info?.baseAsset, info?.quoteAsset].every((name) => typeof name === 'string');
  return isNamed && (info!.filters === undefined || Array.isArray(info!.filters));
}

/** `btc-usdt`, `BTC/USDT` and `BTCUSDT-PERP` name the symbol `BTCUSDT`; COIN-M's own names end in `_PERP`. */
function normalise(symbol: string): string {
  return symbol
    .toUpperCase()
    .replace(/-PERP$/, '')
    .replace(/[-/]/g, '');
}

function toInstrument(market: Market, info: SymbolInfo): Instrument {
  const filter = (type: string, key: string): string => {
    const value = info.filters?.find((entry) => entry?.filterType === type)?.[key];
    if (typeof value !== 'string')
      throw new DepthwireError('malformed_venue_frame', `exchangeInfo: ${info.symbol} has no ${type}.${key}`);
    return value;
  };
  return instrument(market, info.symbol, info.baseAsset, info.quoteAsset, {
    kind: isSpot(market) ? 'spot' : isPerpetual(market, info) ? 'perpetual' : 'future',
    tick: scaleOf(filter('PRICE_FILTER', 'tickSize')),
    lot: scaleOf(filter('LOT_SIZE', 'stepSize')),
    status: statusOf(info),
  });
}

/** What a capture without metadata tells: the symbol, and the digits of its numbers. */
export function guessInstrument(
  market: Market,
  symbol: string,
  tickDecimals: number,
  lotDecimals: number,
): Instrument {
  const [contract = symbol, delivery] = symbol.split('_');
  const quote = QUOTES.find((asset) => contract.endsWith(asset) && contract.length > asset.length) ?? '';
  const base = quote ? contract.slice(0, -quote.length) : contract;
  return instrument(market, symbol, base, quote, {
    kind: isSpot(market) ? 'spot' : delivery && delivery !== 'PERP' ? 'future' : 'perpetual',
    tick: decimalScale(tickDecimals),
    lot: decimalScale(lotDecimals),
    status: 'trading',
  });
}

function instrument(
  market: Market,
  symbol: string,
  base: string,
  quote: string,
  rest: Pick<Instrument, 'tick' | 'lot' | 'status'> & { kind: InstrumentKind },
): Instrument {
  const delivery = symbol.split('_')[1];
  const suffix = rest.kind === 'perpetual' ? '-PERP' : delivery ? `-${delivery}` : '';
  const venue = market === 'us' ? 'binance-us' : 'binance';
  const pair = quote ? `${base}-${quote}` : base;
  return {
    id: `${venue}:${pair}${suffix}`,
    venue,
    symbol,
    base,
    quote,
    name: `${base}${quote ? ` / ${quote}` : ''}${suffix === '-PERP' ? ' perpetual' : suffix.replace('-', ' ')}`,
    origin: 'live',
    staleAfterMs: STALE_AFTER_MS,
    ...rest,
  };
}

function isPerpetual(market: Market, info: SymbolInfo): boolean {
  return !isSpot(market) && (typeof info.contractType !== 'string' || /PERPETUAL/.test(info.contractType));
}

function statusOf(info: SymbolInfo): TradingStatus {
  switch (info.status ?? info.contractStatus) {
    case 'TRADING':
      return 'trading';
    case 'HALT':
    case 'BREAK':
    case 'CANCEL_ONLY':
    case 'AUCTION_MATCH':
    case 'PENDING_TRADING':
      return 'halted';
    default:
      return 'closed';
  }
}
