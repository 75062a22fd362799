import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type InstrumentKind,
  type TradingStatus,
} from '@depthwire/shared';
import { isRecord, parseJson, show } from '../../core/frame-checks.ts';
import type { Metadata } from '../../core/venue.ts';

export type Market = 'spot' | 'swap' | 'futures' | 'option';

/** The venue's names of the markets. */
export const instTypes: Readonly<Record<Market, string>> = {
  spot: 'SPOT',
  swap: 'SWAP',
  futures: 'FUTURES',
  option: 'OPTION',
};

const KINDS: Readonly<Record<string, InstrumentKind>> = {
  SPOT: 'spot',
  SWAP: 'perpetual',
  FUTURES: 'future',
  OPTION: 'option',
};

/** Silence of a book after which it is not trusted to be fresh; options may rest for long. */
const STALE_AFTER_MS = 60_000;
const OPTION_STALE_AFTER_MS = 600_000;

// {"instType":"FUTURES","instId":"BTC-USD-220527","uly":"BTC-USD","instFamily":"BTC-USD","baseCcy":"",
//  "quoteCcy":"","settleCcy":"BTC","ctVal":"100","ctValCcy":"USD","optType":"","stk":"",
//  "expTime":"1653638400000","tickSz":"0.1","lotSz":"1","state":"live"}
interface InstrumentInfo {
  readonly instType: string;
  readonly instId: string;
  readonly [key: string]: unknown;
}

/**
 * Instruments from answers of `public/instruments`, whatever types they list; later ones win.
 * @param symbols instIds or `BASE-QUOTE`, any case; empty for all that trade
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseInstruments(
  market: Market,
  texts: readonly string[],
  symbols: readonly string[],
): Metadata {
  const { listed, isPartial } = listedIn(texts);
  const wanted = new Map<string, InstrumentInfo>();
  const refused = new Map<string, DepthwireError>();
  for (const symbol of symbols) {
    const info = find(market, listed, symbol);
    if (info) wanted.set(info.instId, info);
    else {
      const name = symbol.toUpperCase();
      refused.set(
        name,
        new DepthwireError('unknown_symbol', `OKX ${market} lists no ${name}`, { market, symbol: name }),
      );
    }
  }
  const instruments: Instrument[] = [];
  for (const info of symbols.length > 0 ? wanted.values() : listed.values()) {
    if (symbols.length === 0 && statusOf(info) === 'closed') continue;
    try {
      instruments.push(toInstrument(info));
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      refused.set(info.instId.toUpperCase(), error);
    }
  }
  return { instruments, refused, isPartial };
}

/** By instId in capitals. An answer that is an error counts only where there is no other. */
function listedIn(texts: readonly string[]): {
  listed: ReadonlyMap<string, InstrumentInfo>;
  isPartial: boolean;
} {
  const listed = new Map<string, InstrumentInfo>();
  let problem: DepthwireError | null = null;
  let isAnswered = false;
  let isPartial = false;
  for (const text of texts) {
    const answer = parseJson(text);
    if (isRecord(answer) && 'code' in answer && answer.code !== '0') {
      problem = badList(`error ${show(answer.code)}: ${show(answer.msg)}`);
      if (!isNoFamily(answer.code)) isPartial = true;
      continue;
    }
    if (!isRecord(answer) || !Array.isArray(answer.data)) throw badList('expected data, an array');
    isAnswered = true;
    for (const info of answer.data as unknown[]) {
      if (!isInfo(info)) throw badList('expected instType and instId in every entry of data');
      listed.set(info.instId.toUpperCase(), info);
    }
  }
  if (problem && !isAnswered) throw problem;
  return { listed, isPartial };
}

/** Codes of 51xxx find fault with the request, as 51001 with a family that there is none of: that is an answer. */
const isNoFamily = (code: unknown) => typeof code === 'string' && /^51\d{3}$/.test(code);

function isInfo(value: unknown): value is InstrumentInfo {
  return isRecord(value) && typeof value.instType === 'string' && typeof value.instId === 'string';
}

/** `btc-usdt` and `BTC/USDT` name `BTC-USDT`; on the swap market, and with `-PERP`, the perpetual of the pair. */
function find(
  market: Market,
  listed: ReadonlyMap<string, InstrumentInfo>,
  symbol: string,
): InstrumentInfo | undefined {
  const name = symbol.toUpperCase().replaceAll('/', '-');
  return (
    listed.get(name) ??
    (name.endsWith('-PERP') ? listed.get(name.replace(/PERP$/, 'SWAP')) : undefined) ??
    (market === 'swap' ? listed.get(`${name}-SWAP`) : undefined)
  );
}

function toInstrument(info: InstrumentInfo): Instrument {
  const text = (key: string): string => {
    const value = info[key];
    if (typeof value !== 'string' || value === '')
      throw badList(`${info.instId}: expected ${key}, got ${show(value)}`);
    return value;
  };
  const kind = KINDS[info.instType];
  if (!kind) throw badList(`${info.instId}: expected a type that has a book, got ${show(info.instType)}`);
  const [base = '', quote = ''] =
    kind === 'spot'
      ? [text('baseCcy'), text('quoteCcy')]
      : text(info.instFamily ? 'instFamily' : 'uly').split('-');
  const expiry = kind === 'future' || kind === 'option' ? [expiryDate(text('expTime'))] : [];
  const option = kind === 'option' ? [text('stk'), text('optType')] : [];
  return instrument(info.instId, kind, base, quote, [...expiry, ...option], {
    tick: scaleOf(text('tickSz')),
    // Derivatives are counted in contracts.
    lot: scaleOf(text('lotSz')),
    status: statusOf(info),
  });
}

/** `YYMMDD` of a time in unix milliseconds. */
function expiryDate(ms: string): string {
  const date = new Date(Number(ms));
  if (Number.isNaN(date.getTime())) throw badList(`expected expTime in unix milliseconds, got ${show(ms)}`);
  return date.toISOString().slice(2, 10).replaceAll('-', '');
}

/** What a capture without metadata tells: the instId, and the digits of its numbers. */
export function guessInstrument(symbol: string, tickDecimals: number, lotDecimals: number): Instrument {
  const [base = symbol, quote = '', third, ...rest] = symbol.split('-');
  const kind: InstrumentKind =
    third === undefined ? 'spot' : third === 'SWAP' ? 'perpetual' : rest.length >= 2 ? 'option' : 'future';
  const parts = kind === 'future' || kind === 'option' ? [third!, ...rest] : [];
  return instrument(symbol, kind, base, quote, parts, {
    tick: decimalScale(tickDecimals),
    lot: decimalScale(lotDecimals),
    status: 'trading',
  });
}

/** @param parts what a contract's id has after base and quote: expiry, strike, type */
function instrument(
  symbol: string,
  kind: InstrumentKind,
  base: string,
  quote: string,
  parts: readonly string[],
  rest: Pick<Instrument, 'tick' | 'lot' | 'status'>,
): Instrument {
  const suffix = kind === 'perpetual' ? ['PERP'] : parts;
  return {
    id: `okx:${[base, ...(quote ? [quote] : []), ...suffix].join('-')}`,
    venue: 'okx',
    symbol,
    base,
    quote,
    kind,
    name: [quote ? `${base} / ${quote}` : base, ...(kind === 'perpetual' ? ['perpetual'] : parts)].join(' '),
    origin: 'live',
    staleAfterMs: kind === 'option' ? OPTION_STALE_AFTER_MS : STALE_AFTER_MS,
    ...rest,
  };
}

function statusOf({ state }: InstrumentInfo): TradingStatus {
  switch (state) {
    case 'live':
      return 'trading';
    case 'suspend':
    case 'preopen':
    case 'rebase':
    case 'post_only':
      return 'halted';
    default:
      return 'closed'; // expired, or a test that nobody can trade
  }
}

function badList(problem: string): DepthwireError {
  return new DepthwireError('malformed_venue_frame', `instruments: ${problem}`);
}
