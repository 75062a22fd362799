import {
  decimalScale,
  DepthwireError,
  scaleOf,
  type Instrument,
  type Scale,
  type TradingStatus,
} from '@depthwire/shared';
import { isRecord, parseJson, show } from '../../core/frame-checks.ts';
import { numberText } from '../../core/number-text.ts';
import type { Metadata } from '../../core/venue.ts';

export type Market = 'options' | 'futures' | 'spot';

const STALE_AFTER_MS = 60_000;
/** An option far from the money may rest untouched for minutes. */
const OPTION_STALE_AFTER_MS = 600_000;

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

interface InstrumentInfo {
  readonly instrument_name: string;
  readonly kind: string;
  readonly base_currency: string;
  readonly quote_currency: string;
  readonly counter_currency?: unknown;
  readonly settlement_period?: unknown;
  readonly expiration_timestamp?: unknown;
  readonly strike?: unknown;
  readonly option_type?: unknown;
  readonly tick_size?: unknown;
  readonly tick_size_steps?: unknown;
  readonly min_trade_amount?: unknown;
  readonly is_active?: unknown;
  readonly state?: unknown;
}

/** What tells instruments of one pair apart. */
interface Contract {
  readonly kind: Instrument['kind'];
  /** `YYMMDD` */
  readonly expiry?: string;
  readonly strike?: string;
  readonly right?: 'C' | 'P';
}

/**
 * Instruments from answers of `get_instruments`.
 * @param symbols venue symbols or ids without the venue, in any case; those named are taken whatever
 *   their kind, for one socket carries all of them; empty for all of the market that trade
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseInstruments(
  market: Market,
  bodies: readonly string[],
  symbols: readonly string[],
): Metadata {
  const infos = new Map<string, InstrumentInfo>();
  let problem: DepthwireError | null = null;
  let isAnswered = false;
  for (const body of bodies) {
    const result = resultOf(body);
    if (result instanceof DepthwireError) problem = result;
    else {
      isAnswered = true;
      for (const info of result) infos.set(info.instrument_name, info);
    }
  }
  if (problem && !isAnswered) throw problem;
  const wanted = new Set(symbols.map(normalise));
  const instruments: Instrument[] = [];
  const refused = new Map<string, DepthwireError>();
  for (const info of infos.values()) {
    if (marketOfKind(info.kind) === null) continue; // combinations of several instruments
    try {
      const next = toInstrument(info);
      const isWanted = namesOf(next).filter((name) => wanted.delete(name)).length > 0;
      if (symbols.length > 0 ? isWanted : marketOfKind(info.kind) === market && next.status !== 'closed')
        instruments.push(next);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      const name = normalise(info.instrument_name);
      if (symbols.length === 0 || wanted.delete(name)) refused.set(name, error);
    }
  }
  for (const symbol of wanted) {
    refused.set(
      symbol,
      new DepthwireError('unknown_symbol', `Deribit ${market} lists no ${symbol}`, { market, symbol }),
    );
  }
  return { instruments, refused, isPartial: problem !== null };
}

/** What a capture without metadata tells: the symbol, and the digits of its numbers. */
export function guessInstrument(symbol: string, tickDecimals: number, lotDecimals: number): Instrument {
  const [pair = symbol, date, strike, right] = symbol.split('-');
  const [base = pair, linear] = pair.split('_');
  const contract: Contract =
    date === undefined
      ? { kind: 'spot' }
      : date === 'PERPETUAL'
        ? { kind: 'perpetual' }
        : strike === undefined
          ? { kind: 'future', expiry: expiryOfName(date) }
          : {
              kind: 'option',
              expiry: expiryOfName(date),
              strike: strike.replace('d', '.'),
              right: right === 'P' ? 'P' : 'C',
            };
  const counter = linear ?? 'USD';
  return instrument(
    symbol,
    base,
    contract.kind === 'option' ? (linear ?? base) : counter,
    counter,
    contract,
    {
      tick: decimalScale(tickDecimals),
      lot: decimalScale(lotDecimals),
      status: 'trading',
    },
  );
}

/** Sizes of inverse futures are in US dollars. */
export const isInverse = ({ kind, quote }: Pick<Instrument, 'kind' | 'quote'>) =>
  (kind === 'perpetual' || kind === 'future') && quote === 'USD';

/** Whether a symbol is that of several instruments traded as one: `BTC-FS-27SEP24_PERP`. */
export const isCombination = (symbol: string) => /^[^-]+-[A-Z]+-/.test(symbol);

/** The market of a symbol, by its form. */
export function marketOfSymbol(symbol: string): Market {
  const parts = symbol.split('-');
  return parts.length === 1 ? 'spot' : parts.length === 2 ? 'futures' : 'options';
}

/** An answer that is an error is returned: it says nothing against the other ones. */
function resultOf(body: string): InstrumentInfo[] | DepthwireError {
  const answer = parseJson(body);
  if (isRecord(answer) && isRecord(answer.error)) {
    const { code, message } = answer.error;
    return new DepthwireError(
      'malformed_venue_frame',
      `get_instruments: error ${show(code)}: ${show(message)}`,
    );
  }
  const result = isRecord(answer) ? answer.result : undefined;
  if (!Array.isArray(result))
    throw new DepthwireError('malformed_venue_frame', 'get_instruments: expected result, an array');
  return (result as unknown[]).map((info) => {
    const isNamed =
      isRecord(info) &&
      [info.instrument_name, info.kind, info.base_currency, info.quote_currency].every(
        (name) => typeof name === 'string',
      );
    if (!isNamed) {
      throw new DepthwireError(
        'malformed_venue_frame',
        'get_instruments: expected instrument_name, kind, base_currency and quote_currency in every entry',
      );
    }
    return info as unknown as InstrumentInfo;
  });
}

function marketOfKind(kind: string): Market | null {
  if (kind === 'option') return 'options';
  if (kind === 'future') return 'futures';
  return kind === 'spot' ? 'spot' : null;
}

/** `btc/usd-perp` as `BTC-USD-PERP`. */
function normalise(symbol: string): string {
  return symbol.toUpperCase().replaceAll('/', '-');
}

/** All that an instrument may be asked for by: a pair alone means spot or the perpetual. */
function namesOf({ id, symbol, kind }: Instrument): string[] {
  const name = normalise(id.slice(id.indexOf(':') + 1));
  return [normalise(symbol), name, ...(kind === 'perpetual' ? [name.replace(/-PERP$/, '')] : [])];
}

function toInstrument(info: InstrumentInfo): Instrument {
  const { instrument_name: symbol, base_currency: base, quote_currency: quote } = info;
  // What the contract is about is its counter currency: an inverse option is priced in its base.
  // Metadata of 2021 does not tell it yet.
  const counter =
    typeof info.counter_currency === 'string' ? info.counter_currency : quote === base ? 'USD' : quote;
  return instrument(symbol, base, quote, counter, contractOf(info), {
    tick: tickOf(info),
    lot: scaleOf(positive(info.min_trade_amount, symbol, 'min_trade_amount')),
    status: statusOf(info),
  });
}

function contractOf(info: InstrumentInfo): Contract {
  const { instrument_name: symbol, kind } = info;
  if (kind === 'spot') return { kind: 'spot' };
  if (kind === 'future' && info.settlement_period === 'perpetual') return { kind: 'perpetual' };
  const time = info.expiration_timestamp;
  const date = new Date(typeof time === 'number' ? time : Number.NaN);
  if (!Number.isFinite(date.getTime())) throw unusable(symbol, 'expiration_timestamp');
  const expiry = date.toISOString().slice(2, 10).replaceAll('-', '');
  if (kind === 'future') return { kind: 'future', expiry };
  if (info.option_type !== 'call' && info.option_type !== 'put') throw unusable(symbol, 'option_type');
  return {
    kind: 'option',
    expiry,
    strike: positive(info.strike, symbol, 'strike'),
    right: info.option_type === 'call' ? 'C' : 'P',
  };
}

/** The largest unit that every tick size of the instrument is a multiple of: it may grow with the price. */
function tickOf({ instrument_name: symbol, tick_size, tick_size_steps }: InstrumentInfo): Scale {
  let tick = scaleOf(positive(tick_size, symbol, 'tick_size'));
  for (const step of Array.isArray(tick_size_steps) ? (tick_size_steps as unknown[]) : []) {
    const size = isRecord(step) ? step.tick_size : undefined;
    tick = commonUnit(tick, scaleOf(positive(size, symbol, 'tick_size_steps')));
  }
  return tick;
}

function commonUnit(a: Scale, b: Scale): Scale {
  const decimals = Math.max(a.decimals, b.decimals);
  let x = a.units * 10 ** (decimals - a.decimals);
  let y = b.units * 10 ** (decimals - b.decimals);
  while (y > 0) [x, y] = [y, x % y];
  return { units: x, decimals };
}

/** @see https://docs.deribit.com instrument.state: `open`, `closed`, `halted`, `settlement`, `delivered`, … */
function statusOf({ state, is_active: isActive }: InstrumentInfo): TradingStatus {
  switch (state) {
    case 'open':
    case undefined:
      return isActive === false ? 'halted' : 'trading';
    case 'locked':
    case 'halted':
    case 'settlement':
      return 'halted';
    default:
      return 'closed';
  }
}

function instrument(
  symbol: string,
  base: string,
  quote: string,
  counter: string,
  { kind, expiry, strike, right }: Contract,
  rest: Pick<Instrument, 'tick' | 'lot' | 'status'>,
): Instrument {
  const terms =
    kind === 'perpetual' ? ['PERP'] : [expiry, strike, right].filter((term) => term !== undefined);
  const words =
    kind === 'perpetual' ? ['perpetual'] : [expiry, strike, right && (right === 'C' ? 'call' : 'put')];
  return {
    id: `deribit:${[base, counter, ...terms].join('-')}`,
    venue: 'deribit',
    symbol,
    base,
    quote,
    kind,
    name: [`${base} / ${counter}`, ...words].filter((word) => word !== undefined).join(' '),
    origin: 'live',
    staleAfterMs: kind === 'option' ? OPTION_STALE_AFTER_MS : STALE_AFTER_MS,
    ...rest,
  };
}

/** `6AUG21` as `210806`; what is no date as it is. */
function expiryOfName(name: string): string {
  const [, day = '', month = '', year = ''] = /^(\d{1,2})([A-Z]{3})(\d{2})$/.exec(name) ?? [];
  const index = MONTHS.indexOf(month);
  return index < 0 ? name : `${year}${String(index + 1).padStart(2, '0')}${day.padStart(2, '0')}`;
}

function positive(value: unknown, symbol: string, key: string): string {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) throw unusable(symbol, key);
  return numberText(value);
}

function unusable(symbol: string, key: string): DepthwireError {
  return new DepthwireError('malformed_venue_frame', `get_instruments: ${symbol} has no usable ${key}`, {
    key,
  });
}
