import {
  DepthwireError,
  isErrorCode,
  msgpackCodec,
  parseUnits,
  type BookState,
  type Candle,
  type CandleInterval,
  type Instrument,
  type Lots,
  type Ticks,
} from '@depthwire/shared';
import { decodeDepthColumns, type DepthAnswer, type DepthColumn } from '@depthwire/shared/depth';

import type { Hole } from '../chart/holes.ts';
import { m } from '../paraglide/messages.js';
import { credential } from './credential.ts';

const TIMEOUT_MS = 10_000;
const MSGPACK_TYPE = 'application/vnd.msgpack';

/** Open time in seconds, open, high, low, close and volume as decimals, number of trades. */
type RestCandle = [
  time: number,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  trades: number,
];

export interface CandlePage {
  /** Oldest first. */
  readonly candles: readonly Candle[];
  /** Stretches within the page in which trades may be missing. */
  readonly holes: readonly Hole[];
}

/** See docs/operating.md, `GET /api/v1/feeds`. */
export interface FeedReport {
  readonly id: string;
  readonly state: 'starting' | 'running' | 'failed';
  /** Unix milliseconds. */
  readonly since: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly retryAt: number | null;
  readonly books: Readonly<Record<BookState, number>>;
  readonly events: number;
  readonly refused: number;
  readonly eventsPerSecond?: number;
  readonly stalenessMs?: Percentiles | null;
  readonly latencyMs?: Percentiles | null;
  readonly source: Readonly<Record<SourceCounter, number>> | null;
  readonly reconnects: number | null;
  /** What an operator should mend. */
  readonly problems: readonly string[];
  readonly troubles: readonly {
    readonly instrument: string;
    readonly state: BookState;
    readonly reason: string | null;
    readonly since: number;
  }[];
}

export type SourceCounter = 'frames' | 'malformed' | 'gaps' | 'checksumsOk' | 'checksumsBad' | 'resyncs';

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export async function fetchFeeds(): Promise<FeedReport[]> {
  const { feeds } = await getJson<{ feeds: FeedReport[] }>('/api/v1/feeds');
  return feeds;
}

/**
 * All of them, page by page.
 * @param key where it is not the one of the tab
 */
export async function fetchInstruments(key = credential.value): Promise<Instrument[]> {
  const all: Instrument[] = [];
  let next: string | null = '/api/v1/instruments';
  while (next) {
    const page: { instruments: Instrument[]; next: string | null } = await getJson(next, key);
    all.push(...page.instruments);
    next = page.next;
  }
  return all;
}

/**
 * Candles of the history.
 * @param before unix seconds: only candles that opened earlier
 */
export async function fetchCandles(
  instrument: Instrument,
  interval: CandleInterval,
  limit: number,
  before?: number,
): Promise<CandlePage> {
  const query = new URLSearchParams({ interval, limit: String(limit) });
  if (before !== undefined) query.set('before', String(before));
  const path = `/api/v1/instruments/${encodeURIComponent(instrument.id)}/candles?${query}`;
  const { candles, holes } = await getJson<{ candles: RestCandle[]; holes: [number, number][] }>(path);
  return {
    candles: candles.map((candle) => parseCandle(candle, instrument)),
    holes: holes.map(([fromMs, toMs]) => ({ fromMs, toMs })),
  };
}

export interface DepthHistoryQuery {
  readonly limit: number;
  /** Unix milliseconds: only seconds that began then or later, the first ones of them. */
  readonly from?: number;
  /** Unix milliseconds: only seconds that began earlier. */
  readonly before?: number;
}

export interface DepthHistoryPage {
  /** Oldest first. */
  readonly columns: readonly DepthColumn[];
  /** Ticks of a bucket; null before there is a book. */
  readonly step: number | null;
  readonly hasMore: boolean;
}

/** The book at the end of each second, as far as the server keeps it: see docs/protocol.md, "Depth history". */
export async function fetchDepthHistory(
  { id, tick, lot }: Instrument,
  query: DepthHistoryQuery,
): Promise<DepthHistoryPage> {
  const given = Object.entries(query).map(([name, value]) => [name, String(value)]);
  const path = `/api/v1/instruments/${encodeURIComponent(id)}/depth-history?${new URLSearchParams(given)}`;
  const answer = await get<DepthAnswer & Pick<Instrument, 'tick' | 'lot'> & { next: string | null }>(
    path,
    MSGPACK_TYPE,
  );
  const isSameScale = JSON.stringify([answer.tick, answer.lot]) === JSON.stringify([tick, lot]);
  if (!isSameScale) throw new DepthwireError('cursor_expired', m.server_scale_changed());
  return { columns: decodeDepthColumns(answer), step: answer.step, hasMore: answer.next !== null };
}

function parseCandle([time, open, high, low, close, volume, trades]: RestCandle, instrument: Instrument) {
  const price = (text: string) => parseUnits(text, instrument.tick) as Ticks;
  return {
    time,
    open: price(open),
    high: price(high),
    low: price(low),
    close: price(close),
    volume: parseUnits(volume, instrument.lot) as Lots,
    trades,
  };
}

function getJson<T>(path: string, key?: string | null): Promise<T> {
  return get(path, 'application/json', key);
}

async function get<T>(path: string, accept: string, key = credential.value): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        accept,
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
    });
  } catch (error) {
    throw new DepthwireError('connection_lost', m.server_no_answer(), {}, error);
  }
  const isPacked = response.headers.get('content-type')?.startsWith(MSGPACK_TYPE) ?? false;
  const body: unknown = await (
    isPacked ? response.arrayBuffer().then(msgpackCodec.decode) : response.json()
  ).catch(() => null);
  if (response.ok && body !== null) return body as T;
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const code = isErrorCode(error?.code) ? error.code : 'internal';
  throw new DepthwireError(code, String(error?.message ?? m.server_status({ status: response.status })));
}
