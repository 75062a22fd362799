import {
  candleIntervals,
  DepthwireError,
  parseLots,
  type Candle,
  type Clock,
  type Instrument,
  type Lots,
  type Ticks,
  type Trade,
} from '@depthwire/shared';
import type { PastTrades } from './feed.ts';
import { malformed, show } from './frame-checks.ts';
import { penaltyMs, type HttpQueue } from './http.ts';
import { nearestUnits } from './instrument-outlet.ts';
import { flattenLevels } from './levels.ts';
import type {
  CandleAsk,
  CandlePage,
  HttpResponse,
  TradeAsk,
  TradePage,
  TradeRows,
  VenueCandle,
  VenuePastTrade,
} from './venue.ts';

/** Requests that one call makes at most; what they do not reach is left out. */
export const MAX_PAST_PAGES = 50;
/** Trades after which no further page is asked for. */
const MAX_TRADES = 50_000;
/** A call ends with what it has after so long: whoever asked gives up on a feed that does not answer in 30 s. */
export const PAST_LIMIT_MS = 25_000;

/** How a venue is asked for candles by the times at which they open. */
export interface CandleWindows {
  /** Most candles of an answer. */
  readonly size: number;
  /** @param fromS open times, unix seconds: of the first candle and @param lastS of the last, both inclusive */
  url(this: void, fromS: number, lastS: number): string;
  read(this: void, body: string): readonly VenueCandle[];
}

/** Pages of as many candles as an answer holds, the newest first. */
export function candleWindows(ask: CandleAsk, windows: CandleWindows): CandlePage | null {
  const seconds = candleIntervals[ask.interval];
  const pageBefore = (endS: number): CandlePage | null => {
    if (endS <= ask.fromS) return null;
    const fromS = Math.max(ask.fromS, endS - windows.size * seconds);
    return {
      url: windows.url(fromS, endS - seconds),
      read: windows.read,
      next: () => pageBefore(fromS),
    };
  };
  return pageBefore(ask.toS);
}

/** A URL with its query. */
export function queryUrl(url: string, query: Readonly<Record<string, string | number>>): string {
  const texts = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]);
  return `${url}?${new URLSearchParams(texts).toString()}`;
}

/**
 * Rows of a venue that tells trades from a time or an id on: with the last page all of the query is known, before that
 * all until the last trade, for others of its millisecond may be on the next one.
 */
export function tradesFrom(
  ask: TradeAsk,
  trades: readonly VenuePastTrade[],
  next: TradePage | null,
): TradeRows {
  const toMs = next ? Math.floor(trades.at(-1)?.timeMs ?? ask.fromMs) : ask.toMs;
  return { trades, fromMs: ask.fromMs, toMs, next };
}

/** How a venue is asked for trades from a time on, oldest first. */
export interface TimePages {
  /** Most trades of an answer. */
  readonly size: number;
  /** @param fromMs whole unix milliseconds, inclusive */
  url(this: void, fromMs: number): string;
  /** Oldest first. */
  read(this: void, body: string): readonly VenuePastTrade[];
}

/** Pages that each begin in the millisecond in which the one before ended, so that none of it is left out. */
export function tradePages(ask: TradeAsk, pages: TimePages, fromMs = ask.fromMs): TradePage {
  return {
    url: pages.url(fromMs),
    read(body) {
      const trades = pages.read(body);
      const lastMs = Math.floor(trades.at(-1)?.timeMs ?? ask.toMs);
      if (trades.length < pages.size || lastMs >= ask.toMs) return tradesFrom(ask, trades, null);
      if (lastMs > fromMs) return tradesFrom(ask, trades, tradePages(ask, pages, lastMs));
      return { trades, fromMs: ask.fromMs, toMs: fromMs, next: null }; // a millisecond that no page holds
    },
  };
}

/**
 * Rows of a venue that tells its newest trades only, oldest first.
 * @param size of an answer that there may be older ones than
 */
export function newestTrades(ask: TradeAsk, trades: readonly VenuePastTrade[], size: number): TradeRows {
  const fromMs = trades.length < size ? ask.fromMs : Math.floor(trades[0]!.timeMs) + 1;
  return { trades, fromMs, toMs: ask.toMs, next: null };
}

/** How the requests of one call are made. */
export interface PastWay {
  readonly http: HttpQueue;
  readonly clock: Clock;
  readonly spacingMs: number;
  /** The feed is stopped. */
  readonly stopped: AbortSignal;
}

/**
 * The venue's candles of the pages, as many as can be had; in texts still, for the grid may change meanwhile.
 * @throws DepthwireError `venue_http`, `malformed_venue_frame`
 */
export async function fetchCandles(first: CandlePage | null, way: PastWay): Promise<VenueCandle[]> {
  const rows: VenueCandle[] = [];
  if (first === null) return rows;
  const isAll = await follow(first, way, (page, body) => {
    for (const row of page.read(body)) rows.push(row);
    return page.next();
  });
  if (!isAll) throw tooLate(first.url);
  return rows;
}

/**
 * The venue's trades of the pages, as `fetchCandles`; `toMs` is no later than the last answer.
 * @throws DepthwireError `venue_http`, `malformed_venue_frame`
 */
export async function fetchTrades(first: TradePage, way: PastWay): Promise<Omit<TradeRows, 'next'>> {
  const trades = new Map<string | number, VenuePastTrade>();
  let fromMs = 0;
  let toMs = 0;
  await follow(first, way, (page, body, receiveTimeMs) => {
    const read = page.read(body);
    for (const trade of read.trades) trades.set(trade.id, trade);
    fromMs = read.fromMs;
    toMs = Math.min(read.toMs, Math.floor(receiveTimeMs));
    return trades.size < MAX_TRADES ? read.next : null;
  });
  return { trades: [...trades.values()], fromMs, toMs };
}

/**
 * Asks for page after page, until there is none, or this call has made as many requests as it may.
 * @returns whether it did so in time, rather than after some of them
 */
async function follow<Page extends { readonly url: string }>(
  first: Page,
  { http, clock, spacingMs, stopped }: PastWay,
  take: (page: Page, body: string, receiveTimeMs: number) => Page | null,
): Promise<boolean> {
  const late = new AbortController();
  const endMs = clock.now() + PAST_LIMIT_MS;
  const timer = clock.at(endMs, () => late.abort());
  const signal = AbortSignal.any([stopped, late.signal]);
  try {
    let page: Page | null = first;
    for (let pages = 0; page !== null && pages < MAX_PAST_PAGES; pages++) {
      const { url }: Page = page;
      let answer: HttpResponse;
      try {
        answer = await ask(url);
      } catch (error) {
        if (!late.signal.aborted || stopped.aborted) throw error;
        if (pages > 0) return false;
        throw tooLate(url);
      }
      page = take(page, answer.body, answer.receiveTimeMs);
    }
    return true;
  } finally {
    timer.cancel();
  }

  async function ask(url: string): Promise<HttpResponse> {
    for (;;) {
      const answer = await http.getLater(url, signal, spacingMs);
      if (answer.status === 200) return answer;
      const waitMs = penaltyMs(answer);
      if (waitMs > 0 && clock.now() + waitMs < endMs) continue; // the queue waits as long as it has to
      const reason = `GET ${url} answered ${answer.status}: ${show(answer.body)}`;
      throw new DepthwireError('venue_http', reason, { url, retryAfterMs: answer.retryAfterMs });
    }
  }
}

const tooLate = (url: string) =>
  new DepthwireError(
    'venue_http',
    `${url}: not all that was asked for came within ${PAST_LIMIT_MS / 1_000} s`,
    { url },
  );

/**
 * The rows as candles in the instrument's ticks and lots, oldest first: those of the query, each once. A volume that
 * lies between two lots, for venues add it up in floating point or had finer lots once, is the nearest. Where an older
 * price lies between two ticks, for the tick size has changed since, the candles begin after it.
 * @param onOffGrid told of that one
 * @throws DepthwireError `malformed_venue_frame`, also where the newest price lies so
 */
export function toCandles(
  rows: readonly VenueCandle[],
  range: Pick<CandleAsk, 'instrument' | 'interval' | 'fromS' | 'toS'>,
  isSigned: boolean,
  onOffGrid: (error: DepthwireError, timeS: number) => void = () => {},
): Candle[] {
  const seconds = candleIntervals[range.interval];
  for (const { time } of rows) {
    if (!Number.isSafeInteger(time) || time % seconds !== 0)
      throw malformed('time', `a multiple of ${seconds} s`, time);
  }
  const candles: Candle[] = [];
  for (const row of rows.toSorted((a, b) => b.time - a.time)) {
    if (row.time < range.fromS || row.time >= range.toS || row.time === candles.at(-1)?.time) continue;
    try {
      candles.push(toCandle(row, range.instrument, isSigned));
    } catch (error) {
      if (!(error instanceof DepthwireError) || error.details.problem !== 'off_grid' || candles.length === 0)
        throw error;
      onOffGrid(error, row.time);
      break;
    }
  }
  return candles.reverse();
}

function toCandle(row: VenueCandle, instrument: Instrument, isSigned: boolean): Candle {
  const { time, trades } = row;
  if (!Number.isSafeInteger(trades) || trades < 0) throw malformed('trades', 'a count', trades);
  const price = (key: 'open' | 'high' | 'low' | 'close') => ticksOf(key, row[key], instrument, isSigned);
  const [open, high, low, close] = [price('open'), price('high'), price('low'), price('close')];
  if (high < Math.max(open, close)) throw malformed('high', 'the highest', row.high);
  if (low > Math.min(open, close)) throw malformed('low', 'the lowest', row.low);
  return { time, open, high, low, close, volume: volumeOf(row.volume, instrument), trades };
}

/**
 * The trades of the query in the instrument's ticks and lots, oldest first.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function toPastTrades(
  { trades, fromMs, toMs }: Omit<TradeRows, 'next'>,
  query: Pick<TradeAsk, 'instrument' | 'fromMs' | 'toMs'>,
  isSigned: boolean,
): PastTrades {
  const { instrument } = query;
  const converted: Trade[] = [];
  for (const { id, price, size, side, ...told } of trades) {
    const timeMs = Math.floor(told.timeMs);
    if (timeMs < query.fromMs || timeMs >= query.toMs) continue;
    const trade: Trade = {
      id,
      price: ticksOf('price', price, instrument, isSigned),
      size: exact('size', size, () => flattenLevels([['1', size]], ONE, instrument.lot)[1]!) as Lots,
      side,
      timeMs,
    };
    if (trade.size > 0) converted.push(trade);
  }
  const from = Math.min(Math.max(fromMs, query.fromMs), query.toMs);
  const to = Math.max(from, Math.min(toMs, query.toMs));
  return {
    trades: converted.sort((a, b) => a.timeMs - b.timeMs),
    fromMs: from,
    toMs: to,
    isWhole: from === query.fromMs && to === query.toMs,
  };
}

const ONE = { units: 1, decimals: 0 };

function ticksOf(key: string, text: string, { tick }: Instrument, isSigned: boolean): Ticks {
  return exact(key, text, () => flattenLevels([[text, '0']], tick, ONE, isSigned)[0]!) as Ticks;
}

function volumeOf(text: string, { lot }: Instrument): Lots {
  const lots = exact('volume', text, () => {
    try {
      return parseLots(text, lot);
    } catch (error) {
      if (error instanceof DepthwireError && error.code === 'off_grid') return nearestUnits(text, lot)!;
      throw error;
    }
  });
  if (!Number.isSafeInteger(lots) || lots < 0) throw malformed('volume', 'from zero to 2^53 lots', text);
  return lots as Lots;
}

/** What is parsed of a venue's text, or `malformed_venue_frame` with the field that it stands in. */
function exact(key: string, text: string, parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    throw new DepthwireError(
      'malformed_venue_frame',
      `${key}: ${error.message}, got ${show(text)}`,
      { key, value: show(text), problem: error.code },
      error,
    );
  }
}
