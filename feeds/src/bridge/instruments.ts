import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type InstrumentKind,
  type Scale,
} from '@depthwire/shared';
import type { CcxtLibrary, CcxtMarket } from './library.ts';

/** Silence after which the engine calls a book stale; many of the library's venues are quiet. */
const STALE_AFTER_MS = 60_000;
/** Of numbers whose grid the library does not know. */
const UNKNOWN_SCALE = decimalScale(8);

const kinds: Readonly<Record<string, InstrumentKind>> = {
  spot: 'spot',
  swap: 'perpetual',
  future: 'future',
  option: 'option',
};

/**
 * The name of a market behind the colon of an instrument's id. The settlement currency is in it
 * where it is not the quote: venues list both `BTC/USD:USD` and `BTC/USD:BTC`.
 */
export function nameOf({ symbol, type }: CcxtMarket): string {
  const [pair = '', contract = ''] = symbol.split(/:(.*)/);
  const [settle = '', ...terms] = contract.split('-');
  const quote = pair.split('/')[1];
  const parts = [pair.replace('/', '-')];
  if (settle !== '' && settle !== quote) parts.push(settle);
  if (terms.length > 0) parts.push(...terms);
  else if (type === 'swap') parts.push('PERP');
  return parts.join('-').replace(/\s/g, '_');
}

/**
 * @param symbol the library's (`BTC/USDT`, `BTC/USDT:USDT`) or Depthwire's (`BTC-USDT`,
 *   `BTC-USDT-PERP`), in any case
 */
export function findMarket(
  markets: Readonly<Record<string, CcxtMarket>>,
  symbol: string,
): CcxtMarket | undefined {
  if (Object.hasOwn(markets, symbol)) return markets[symbol];
  const wanted = symbol.toUpperCase();
  const all = Object.values(markets);
  return (
    all.find((market) => market.symbol.toUpperCase() === wanted) ??
    all.find((market) => nameOf(market).toUpperCase() === wanted)
  );
}

/** @throws DepthwireError `unknown_symbol` for a kind of market that Depthwire does not know */
export function toInstrument(
  exchange: string,
  market: CcxtMarket,
  library: CcxtLibrary,
  precisionMode: number,
): Instrument {
  const { id, symbol, base, quote, type, active, contractSize, precision } = market;
  const kind = kinds[type ?? 'spot'];
  if (!kind)
    throw new DepthwireError(
      'unknown_symbol',
      `${symbol} is of a kind that Depthwire does not know: ${type}`,
    );
  const venue = `ccxt-${exchange}`;
  const name = nameOf(market);
  const scale = (value: number | null | undefined) => scaleIn(value, library, precisionMode);
  const terms =
    kind === 'spot' ? '' : ` ${kind === 'perpetual' ? 'perpetual' : symbol.split('-').slice(1).join(' ')}`;
  const contracts = contractSize == null || contractSize === 1 ? '' : `, contracts of ${contractSize}`;
  return {
    id: `${venue}:${name}`,
    venue,
    symbol: id,
    base,
    quote,
    kind,
    name: `${base} / ${quote}${terms}${contracts}`,
    tick: scale(precision?.price),
    lot: scale(precision?.amount),
    // The library has one flag for every reason not to trade; where it knows nothing, nothing is claimed.
    status: active === false ? 'halted' : 'trading',
    origin: 'bridged',
    staleAfterMs: STALE_AFTER_MS,
  };
}

/** A grid of the library: a tick size, decimals, or significant digits, which are no grid. */
function scaleIn(value: number | null | undefined, library: CcxtLibrary, precisionMode: number): Scale {
  if (value == null || !Number.isFinite(value)) return UNKNOWN_SCALE;
  switch (precisionMode) {
    case library.DECIMAL_PLACES:
      return value >= 0 ? decimalScale(value) : scaleOf(`1e${-value}`);
    case library.SIGNIFICANT_DIGITS:
      return UNKNOWN_SCALE;
    default:
      return value > 0 ? scaleOf(String(value)) : UNKNOWN_SCALE;
  }
}
