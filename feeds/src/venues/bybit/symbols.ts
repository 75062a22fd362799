import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type InstrumentKind,
  type TradingStatus,
} from '@depthwire/shared';
import { isRecord, numberOf, parseJson, show } from '../../core/frame-checks.ts';
import type { Metadata } from '../../core/venue.ts';

export type Market = 'spot' | 'linear' | 'inverse';

/** Silence of a book after which it is not trusted to be fresh. */
const STALE_AFTER_MS = 60_000;

/**
 * Quote coins, for captures without metadata only: elsewhere base and quote come from the venue.
 * Longer names first.
 */
const QUOTES = [
  'USDT',
  'USDC',
  'USDE',
  'USD1',
  'BRZ',
  'BTC',
  'ETH',
  'SOL',
  'MNT',
  'EUR',
  'BRL',
  'PLN',
  'TRY',
  'DAI',
  'USD',
];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
/** Months of delivery as futures exchanges name them: F is January. */
const MONTH_CODES = 'FGHJKMNQUVXZ';
const FRIDAY = 5;

// {"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT",
//  "deliveryTime":"0","priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"qtyStep":"0.001"},
//  "isPreListing":false,"preListingInfo":null}
// Spot has no contractType, and "basePrecision" for "qtyStep".
interface InstrumentInfo {
  readonly symbol: string;
  readonly baseCoin: string;
  readonly quoteCoin: string;
  readonly [key: string]: unknown;
}

/**
 * Instruments from answers of `market/instruments-info`; those of other categories are left out.
 * @param symbols venue symbols or `BASE-QUOTE`, any case; empty for all that trade
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseInstruments(
  market: Market,
  texts: readonly string[],
  symbols: readonly string[],
): Metadata {
  const { listed, isPartial } = listedIn(market, texts);
  const byPair = new Map<string, InstrumentInfo>();
  for (const info of listed.values()) {
    // A dated future and the perpetual share base and quote: the pair alone means the perpetual.
    const expiry = kindOf(market, info) === 'future' ? expiryDate(numberOf(info.deliveryTime)) : '';
    byPair.set(normalise(market, `${info.baseCoin}${info.quoteCoin}${expiry}`), info);
  }
  const wanted = new Map<string, InstrumentInfo>();
  const refused = new Map<string, DepthwireError>();
  for (const symbol of symbols) {
    const name = symbol.toUpperCase();
    const info = listed.get(name) ?? byPair.get(normalise(market, name));
    if (info) wanted.set(info.symbol, info);
    else
      refused.set(
        name,
        new DepthwireError('unknown_symbol', `Bybit ${market} lists no ${name}`, { market, symbol: name }),
      );
  }
  const instruments: Instrument[] = [];
  for (const info of symbols.length > 0 ? wanted.values() : listed.values()) {
    if (symbols.length === 0 && statusOf(info) === 'closed') continue;
    try {
      instruments.push(toInstrument(market, info));
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      refused.set(info.symbol.toUpperCase(), error);
    }
  }
  return { instruments, refused, isPartial };
}

/** By symbol in capitals. An answer that is an error counts only where there is no other. */
function listedIn(
  market: Market,
  texts: readonly string[],
): { listed: ReadonlyMap<string, InstrumentInfo>; isPartial: boolean } {
  const listed = new Map<string, InstrumentInfo>();
  let problem: DepthwireError | null = null;
  let isAnswered = false;
  for (const text of texts) {
    const answer = parseJson(text);
    if (!isRecord(answer)) throw badList('expected an object');
    if (answer.retCode !== 0) {
      problem = badList(`error ${show(answer.retCode)}: ${show(answer.retMsg)}`);
      continue;
    }
    const { result } = answer;
    if (!isRecord(result) || !Array.isArray(result.list)) throw badList('expected a list');
    if (typeof result.category === 'string' && result.category !== market) continue;
    isAnswered = true;
    for (const info of result.list as unknown[]) {
      if (!isInfo(info)) throw badList('expected symbol, baseCoin and quoteCoin in every entry of list');
      listed.set(info.symbol.toUpperCase(), info);
    }
  }
  if (problem && !isAnswered) throw problem;
  return { listed, isPartial: problem !== null };
}

function isInfo(value: unknown): value is InstrumentInfo {
  return (
    isRecord(value) &&
    [value.symbol, value.baseCoin, value.quoteCoin].every((name) => typeof name === 'string')
  );
}

/** `btc-usdt` and `BTC/USDT` name the pair `BTCUSDT`, of contracts `BTC-USDT-PERP` and `BTC-USDT-261225` too. */
function normalise(market: Market, symbol: string): string {
  const pair = market === 'spot' ? symbol : symbol.replace(/-PERP$/i, '');
  return pair.toUpperCase().replace(/[-/]/g, '');
}

function kindOf(market: Market, { contractType }: InstrumentInfo): InstrumentKind {
  if (market === 'spot') return 'spot';
  return typeof contractType === 'string' && contractType.endsWith('Futures') ? 'future' : 'perpetual';
}

function toInstrument(market: Market, info: InstrumentInfo): Instrument {
  const filter = (name: string, key: string): string => {
    const value = isRecord(info[name]) ? info[name][key] : undefined;
    if (typeof value !== 'string') throw badList(`${info.symbol} has no ${name}.${key}`);
    return value;
  };
  const kind = kindOf(market, info);
  const expiry = kind === 'future' ? expiryDate(numberOf(info.deliveryTime)) : null;
  if (kind === 'future' && expiry === null) throw badList(`${info.symbol} has no deliveryTime`);
  return instrument(info.symbol, kind, info.baseCoin, info.quoteCoin, expiry, {
    tick: scaleOf(filter('priceFilter', 'tickSize')),
    lot: scaleOf(filter('lotSizeFilter', market === 'spot' ? 'basePrecision' : 'qtyStep')),
    status: statusOf(info),
  });
}

/** `YYMMDD` of a time in unix milliseconds; null where there is none. */
function expiryDate(ms: number): string | null {
  const date = new Date(ms);
  if (!(ms > 0) || Number.isNaN(date.getTime())) return null;
  return date.toISOString().slice(2, 10).replaceAll('-', '');
}

/** What a capture without metadata tells: the symbol, and the digits of its numbers. */
export function guessInstrument(
  market: Market,
  symbol: string,
  tickDecimals: number,
  lotDecimals: number,
): Instrument {
  const { contract, expiry } = market === 'spot' ? { contract: symbol, expiry: null } : splitContract(symbol);
  const quote = QUOTES.find((coin) => contract.endsWith(coin) && contract.length > coin.length) ?? '';
  const base = quote ? contract.slice(0, -quote.length) : contract;
  const kind = market === 'spot' ? 'spot' : expiry === null ? 'perpetual' : 'future';
  return instrument(symbol, kind, base, quote, expiry, {
    tick: decimalScale(tickDecimals),
    lot: decimalScale(lotDecimals),
    status: 'trading',
  });
}

/** `BTCUSDT`, `BTCPERP` (in USDC), `BTCUSDT-14AUG26`, `BTC-14AUG26` (in USDC) and `BTCUSDZ26`. */
function splitContract(symbol: string): { contract: string; expiry: string | null } {
  const inUsdc = (base: string) =>
    QUOTES.some((coin) => base.endsWith(coin) && base !== coin) ? base : `${base}USDC`;
  const dated = /^(.+)-(\d{1,2})([A-Z]{3})(\d{2})$/.exec(symbol);
  const month = dated ? MONTHS.indexOf(dated[3]!) : -1;
  if (dated && month >= 0) {
    const date = `${dated[4]}${twoDigits(month + 1)}${dated[2]!.padStart(2, '0')}`;
    return { contract: inUsdc(dated[1]!), expiry: date };
  }
  const coded = /^(.+USD)([FGHJKMNQUVXZ])(\d{2})$/.exec(symbol);
  if (coded)
    return { contract: coded[1]!, expiry: lastFriday(Number(coded[3]), MONTH_CODES.indexOf(coded[2]!)) };
  const perpetual = /^(.+)PERP$/.exec(symbol);
  return { contract: perpetual ? `${perpetual[1]}USDC` : symbol, expiry: null };
}

/** The day on which contracts named by month are delivered, `YYMMDD`. */
function lastFriday(year: number, month: number): string {
  const last = new Date(Date.UTC(2000 + year, month + 1, 0));
  const day = last.getUTCDate() - ((last.getUTCDay() - FRIDAY + 7) % 7);
  return `${twoDigits(year)}${twoDigits(month + 1)}${twoDigits(day)}`;
}

const twoDigits = (number: number) => String(number).padStart(2, '0');

function instrument(
  symbol: string,
  kind: InstrumentKind,
  base: string,
  quote: string,
  expiry: string | null,
  rest: Pick<Instrument, 'tick' | 'lot' | 'status'>,
): Instrument {
  const suffix = kind === 'perpetual' ? 'PERP' : expiry;
  const words = kind === 'perpetual' ? 'perpetual' : expiry;
  return {
    id: `bybit:${[base, quote, suffix].filter((part) => part !== null && part !== '').join('-')}`,
    venue: 'bybit',
    symbol,
    base,
    quote,
    kind,
    name: [quote ? `${base} / ${quote}` : base, words].filter((part) => part !== null).join(' '),
    origin: 'live',
    staleAfterMs: STALE_AFTER_MS,
    ...rest,
  };
}

function statusOf({ status, preListingInfo }: InstrumentInfo): TradingStatus {
  switch (status) {
    case 'Trading':
      return 'trading';
    case 'PreLaunch':
      // Its market may be open before the contract is an official one.
      return isRecord(preListingInfo) && preListingInfo.curAuctionPhase === 'ContinuousTrading'
        ? 'trading'
        : 'halted';
    case 'Delivering':
      return 'halted';
    default:
      return 'closed';
  }
}

function badList(problem: string): DepthwireError {
  return new DepthwireError('malformed_venue_frame', `instruments-info: ${problem}`);
}
