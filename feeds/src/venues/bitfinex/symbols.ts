import {
  decimalScale,
  DepthwireError,
  type Instrument,
  type Scale,
  type TradingStatus,
} from '@depthwire/shared';
import { numberOf, parseJson } from '../../core/frame-checks.ts';
import type { Metadata } from '../../core/venue.ts';

const STALE_AFTER_MS = 60_000;
/** "For all pairs on Bitfinex we use 5 significant digits." */
const SIGNIFICANT_DIGITS = 5;
/** Of pairs without a price; a book whose levels ask for more gets more. */
const DEFAULT_TICK_DECIMALS = 5;
/** Amounts have up to eight. */
const LOT_DECIMALS = 8;
/** Digits that an integer of lots surely holds. */
const MAX_DIGITS = 15;
/** Names of currencies that the venue's symbols abbreviate, for captures without its map of them. */
const FULL_NAMES: Readonly<Record<string, string>> = { UST: 'USDT', USTF0: 'USDT' };

/** What the answers tell, put together. */
interface Listing {
  pairs: readonly string[];
  currencies: ReadonlySet<string>;
  /** Full names by the venue's. */
  names: ReadonlyMap<string, string>;
  /** Largest order by pair. */
  maxOrder: ReadonlyMap<string, number>;
  /** The lower one of last price and 24 h low, by symbol. */
  prices: ReadonlyMap<string, number>;
  isUp: boolean;
  /** Whether an answer was an error. */
  hasError: boolean;
}

/**
 * Instruments from the answers of `conf`, `tickers` and `platform/status`, in any order; the list of
 * pairs is enough.
 *
 * Bitfinex lists no tick sizes: a price has five significant digits, so its tick depends on itself.
 * The scale is that of the lowest price of the last 24 hours. Levels that lie lower need more digits,
 * and get them: the grid of an instrument becomes finer with the first level that asks for it. So does
 * that of a pair without a price.
 *
 * @param symbols venue symbols or `BASE-QUOTE`, any case; empty for all pairs
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseListing(bodies: readonly string[], symbols: readonly string[]): Metadata {
  const listing = readListing(bodies);
  const wanted = new Set(symbols);
  const instruments: Instrument[] = [];
  const refused = new Map<string, DepthwireError>();
  for (const pair of listing.pairs) {
    const [base, quote] = split(pair, listing.currencies).map((name) => fullName(name, listing.names)) as [
      string,
      string,
    ];
    const names = new Set([`t${pair}`, pair, `${base}${quote}`].map(normalise));
    const asked = [...wanted].filter((symbol) => names.has(normalise(symbol)));
    for (const symbol of asked) wanted.delete(symbol);
    if (symbols.length > 0 && asked.length === 0) continue;
    instruments.push(
      instrument(`t${pair}`, base, quote, {
        tick: tickAt(listing.prices.get(`t${pair}`)),
        lot: lotFor(listing.maxOrder.get(pair)),
        status: listing.isUp ? 'trading' : 'halted',
      }),
    );
  }
  for (const symbol of wanted) {
    refused.set(
      symbol.toUpperCase(),
      new DepthwireError('unknown_symbol', `Bitfinex lists no ${symbol}`, { symbol }),
    );
  }
  // Without the map a pair may have another name, and must not be taken for delisted under its own.
  return { instruments, refused, isPartial: listing.hasError || listing.names.size === 0 };
}

/** What a capture tells: the symbol, and the digits of its numbers. */
export function guessInstrument(symbol: string, tickDecimals: number, lotDecimals: number): Instrument {
  const [base, quote] = split(symbol.replace(/^t/, ''), new Set()).map((name) =>
    fullName(name, new Map()),
  ) as [string, string];
  return instrument(symbol, base, quote, {
    tick: decimalScale(tickDecimals),
    lot: decimalScale(lotDecimals),
    status: 'trading',
  });
}

function readListing(bodies: readonly string[]): Listing {
  const listing: Listing = {
    pairs: [],
    currencies: new Set(),
    names: new Map(),
    maxOrder: new Map(),
    prices: new Map(),
    isUp: true,
    hasError: false,
  };
  for (const body of bodies) {
    const answer = parseJson(body);
    if (!Array.isArray(answer)) throw malformed('expected an array');
    if (answer[0] === 'error') listing.hasError = true;
    else if (typeof answer[0] === 'number') listing.isUp = answer[0] !== 0;
    else if (isTicker(answer[0])) listing.prices = pricesOf(answer as unknown[]);
    // Each key of a `conf` request has one element.
    else for (const part of answer as unknown[]) takeConf(listing, part);
  }
  if (listing.pairs.length === 0) throw malformed('expected a list of pairs');
  return listing;
}

function takeConf(listing: Listing, part: unknown): void {
  if (!Array.isArray(part)) throw malformed('expected a list in every element');
  const rows = part as unknown[];
  if (rows.every((row) => typeof row === 'string')) {
    // A pair is two currencies of three letters, or has a colon between them.
    const isPairs = rows.length > 0 && rows.every((row) => row.includes(':') || row.length === 6);
    if (isPairs) listing.pairs = [...new Set(rows)];
    else listing.currencies = new Set(rows);
    return;
  }
  const names = new Map<string, string>();
  const maxOrder = new Map<string, number>();
  for (const row of rows) {
    if (!Array.isArray(row) || typeof row[0] !== 'string')
      throw malformed('expected a name first in every row');
    if (typeof row[1] === 'string') names.set(row[0], row[1]);
    else if (Array.isArray(row[1])) {
      const largest = numberOf(row[1][4]);
      if (largest > 0 && Number.isFinite(largest)) maxOrder.set(row[0], largest);
    }
  }
  if (names.size > 0) listing.names = names;
  if (maxOrder.size > 0) listing.maxOrder = maxOrder;
}

function isTicker(row: unknown): row is [string, ...unknown[]] {
  return Array.isArray(row) && typeof row[0] === 'string' && row.length >= 11 && typeof row[1] !== 'string';
}

function pricesOf(rows: readonly unknown[]): Map<string, number> {
  const prices = new Map<string, number>();
  for (const row of rows) {
    if (!isTicker(row)) throw malformed('expected a symbol and ten figures in every ticker');
    const known = [row[7], row[10]].filter(
      (price): price is number => typeof price === 'number' && price > 0,
    );
    if (known.length > 0) prices.set(row[0], Math.min(...known));
  }
  return prices;
}

/** `BTCUSD`, `DOGE:USD`; without a colon, where the one of two ways is that leads to two currencies. */
function split(pair: string, currencies: ReadonlySet<string>): [string, string] {
  const [base = '', quote] = pair.split(':');
  if (quote !== undefined) return [base, quote];
  const places = Array.from(pair, (_, at) => at).filter(
    (at) => currencies.has(pair.slice(0, at)) && currencies.has(pair.slice(at)),
  );
  const at = places.length === 1 ? places[0]! : 3;
  return [pair.slice(0, at), pair.slice(at)];
}

/** `USDt` of the venue's map is USDT everywhere else. */
function fullName(name: string, names: ReadonlyMap<string, string>): string {
  return (names.get(name) ?? FULL_NAMES[name] ?? name).toUpperCase();
}

/** `btc/usdt`, `BTC-USDT` and `BTC:USDT` name the same. */
function normalise(symbol: string): string {
  return symbol.toUpperCase().replace(/[-/:]/g, '');
}

/** The unit of the last of five significant digits. */
function tickAt(price: number | undefined): Scale {
  if (price === undefined) return decimalScale(DEFAULT_TICK_DECIMALS);
  const exponent = Number(price.toExponential().split('e')[1]);
  const decimals = SIGNIFICANT_DIGITS - 1 - exponent;
  return decimals >= 0 ? decimalScale(decimals) : { units: 10 ** -decimals, decimals: 0 };
}

/** Whether a scale may be that of a pair whose price, or largest order, was not to be had. */
export const isDefaultTick = (tick: Scale) => tick.units === 1 && tick.decimals === DEFAULT_TICK_DECIMALS;
export const isDefaultLot = (lot: Scale) => lot.units === 1 && lot.decimals === LOT_DECIMALS;

/** Eight decimals, or as many as leave room for the largest order in front of them. */
function lotFor(maxOrder: number | undefined): Scale {
  const integers = maxOrder === undefined ? 0 : String(Math.ceil(maxOrder)).length;
  return decimalScale(Math.max(0, Math.min(LOT_DECIMALS, MAX_DIGITS - integers)));
}

function instrument(
  symbol: string,
  base: string,
  quote: string,
  rest: Pick<Instrument, 'tick' | 'lot'> & { status: TradingStatus },
): Instrument {
  // Derivatives share the socket with spot: a recording may hold them.
  const isPerpetual = /F0:\w+F0$/.test(symbol);
  const name = isPerpetual ? base.replace(/F0$/, '') : base;
  return {
    id: `bitfinex:${name}-${quote}${isPerpetual ? '-PERP' : ''}`,
    venue: 'bitfinex',
    symbol,
    base: name,
    quote,
    kind: isPerpetual ? 'perpetual' : 'spot',
    name: `${name} / ${quote}${isPerpetual ? ' perpetual' : ''}`,
    origin: 'live',
    staleAfterMs: STALE_AFTER_MS,
    ...rest,
  };
}

function malformed(problem: string): DepthwireError {
  return new DepthwireError('malformed_venue_frame', `Bitfinex metadata: ${problem}`);
}
