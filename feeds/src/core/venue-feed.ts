import {
  candleIntervals,
  DepthwireError,
  every,
  type Instrument,
  type InstrumentId,
  type Timer,
} from '@depthwire/shared';
import { BookRelay } from './book-relay.ts';
import type { CandleQuery, Feed, FeedContext, TradeQuery } from './feed.ts';
import { HttpQueue } from './http.ts';
import { fetchMetadata } from './metadata.ts';
import { fetchCandles, fetchTrades, toCandles, toPastTrades, type PastWay } from './past.ts';
import { systemRandom } from './system.ts';
import { VenueLink } from './venue-link.ts';
import { emptyStats, sumStats, type SessionStats } from './session-stats.ts';
import type { Endpoints, Metadata, VenueAdapter } from './venue.ts';
import type { WireTap } from './wire-tap.ts';

/** How often the venue is asked whether an instrument was halted, delisted or given another tick size. */
const METADATA_PERIOD_MS = 300_000;
/** Wait before metadata is asked for once more that lacks an instrument. */
const CONFIRM_MS = 15_000;

export interface VenueFeedOptions {
  /** Default: `VENUE-MARKET`. */
  readonly id?: string;
  readonly market: string;
  /** Venue symbols or `BASE-QUOTE`; at least one. */
  readonly symbols: readonly string[];
  /** Default: the venue's own; set them to reach an emulator or a proxy. */
  readonly endpoints?: Partial<Endpoints>;
  /** Least time between two REST requests, milliseconds. Default: the venue's. */
  readonly httpSpacingMs?: number;
  /** Least time between two frames sent on a connection, milliseconds. Default: the venue's. */
  readonly sendSpacingMs?: number;
  readonly random?: () => number;
  /** Hears everything that is sent and received. */
  readonly tap?: WireTap;
}

/** A feed that tells what it counted. */
export interface CountingFeed extends Feed {
  /** Sums over all its sessions since the start. */
  stats(): SessionStats;
  /** Connections lost and made anew. */
  reconnects(): number;
}

export interface VenueFeed extends CountingFeed {
  /** Has another connection take over from each one, book by book. */
  replaceConnections(reason: string): void;
}

/** The live feed of a venue: metadata, and as many connections as its symbols need. */
export function createVenueFeed(adapter: VenueAdapter, options: VenueFeedOptions): VenueFeed {
  const { market, symbols } = options;
  const id = options.id ?? `${adapter.venue}-${market}`;
  if (symbols.length === 0)
    throw new DepthwireError('invalid_config', `feed ${id}: name at least one symbol`);
  const base = adapter.markets[market];
  if (!base) throw new DepthwireError('unknown_venue', `${adapter.venue} has no market ${market}`);
  const endpoints: Endpoints = {
    ws: options.endpoints?.ws ?? base.ws,
    rest: options.endpoints?.rest ?? base.rest,
  };

  const links: VenueLink[] = [];
  const listed = new Map<InstrumentId, { instrument: Instrument; link: VenueLink }>();
  /** Instruments as they were announced last: their grid may be finer than the venue's. */
  const announced = new Map<InstrumentId, Instrument>();
  const abort = new AbortController();
  const stopped = new Promise<null>((resolve) =>
    abort.signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
  let http: HttpQueue | null = null;
  let way: (PastWay & Pick<FeedContext, 'log'>) | null = null;
  let refusals: readonly DepthwireError[] = [];
  let refreshTimer: Timer | null = null;
  let confirmTimer: Timer | null = null;
  /** Instruments that the newest metadata lacks: an empty list is no proof that all were delisted. */
  let missing = new Set<InstrumentId>();

  /** @throws DepthwireError `venue_http`, `venue_metadata` or `unknown_symbol` */
  async function request(context: FeedContext, queue: HttpQueue): Promise<Metadata | null> {
    const answers = fetchMetadata({
      adapter,
      market,
      endpoints,
      symbols,
      http: queue,
      clock: context.clock,
      signal: abort.signal,
      tap: options.tap,
    });
    answers.catch(() => undefined); // once stopped, nobody waits for it
    const answer = await Promise.race([answers, stopped]);
    if (answer === null) return null;
    const name = `${adapter.venue} ${market}`;
    try {
      const metadata = adapter.parseMetadata(market, answer.texts, symbols);
      return { ...metadata, isPartial: answer.isPartial || metadata.isPartial === true };
    } catch (error) {
      if (!(error instanceof DepthwireError) || error.code !== 'malformed_venue_frame') throw error;
      throw new DepthwireError('venue_metadata', `the metadata of ${name}: ${error.message}`, {}, error);
    }
  }

  /** Goes on with those symbols that can be had, so that one that was delisted stops no other. */
  function leaveOut({ log }: FeedContext, { instruments, refused, isPartial }: Metadata): void {
    refusals = [...refused.values()];
    if (refusals.length === 0) return;
    const reason = refusals.map(({ message }) => message).join('; ');
    if (instruments.length === 0) {
      const code = isPartial ? 'venue_metadata' : refusals[0]!.code;
      throw new DepthwireError(
        code === 'malformed_venue_frame' ? 'venue_metadata' : code,
        reason,
        refusals[0]!.details,
        refusals[0],
      );
    }
    for (const { code, message } of refusals)
      log.error({ feed: id, code, reason: message }, 'symbol left out');
  }

  /** What the venue says of its instruments now; one that is gone from its list twice in a row is closed. */
  async function refresh(context: FeedContext, queue: HttpQueue): Promise<void> {
    let now: Metadata | null;
    try {
      now = await request(context, queue);
    } catch (error) {
      if (!(error instanceof DepthwireError)) {
        context.fail(error);
        return;
      }
      context.log.warn(
        { feed: id, code: error.code, reason: error.message },
        'metadata could not be renewed',
      );
      return;
    }
    if (now === null) return;
    const byId = new Map(now.instruments.map((instrument) => [instrument.id, instrument]));
    const before = missing;
    missing = new Set();
    for (const [instrumentId, known] of listed) {
      const next = byId.get(instrumentId) ?? ifMissing(known.instrument, now);
      if (!byId.has(instrumentId) && next !== known.instrument && !before.has(instrumentId)) {
        missing.add(instrumentId);
        continue;
      }
      if (JSON.stringify(next) === JSON.stringify(known.instrument)) continue;
      context.log.info({ feed: id, instrument: instrumentId, status: next.status }, 'instrument changed');
      known.instrument = next;
      known.link.update(next);
    }
    if (missing.size === 0 || abort.signal.aborted) return;
    const { clock } = context;
    confirmTimer?.cancel();
    confirmTimer = clock.at(clock.now() + CONFIRM_MS, () => void refresh(context, queue));
  }

  /** What a request of the past takes: the way to the venue, and the instrument as it is now. */
  function pastOf(instrumentId: InstrumentId) {
    const instrument = announced.get(instrumentId);
    if (!way || abort.signal.aborted) throw new DepthwireError('unavailable', `feed ${id} does not run`);
    if (!instrument)
      throw new DepthwireError('unknown_instrument', `feed ${id} has no instrument ${instrumentId}`);
    return { way, ask: { market, endpoints, instrument, nowMs: way.clock.now() } };
  }

  function pastFeed({ past }: VenueAdapter): Pick<Feed, 'candles' | 'candlesEnd' | 'trades'> {
    if (!past) return {};
    const isSigned = (instrument: Instrument) => past.isSigned?.(instrument) ?? false;
    return {
      candlesEnd: 'now',
      async candles({ instrument, interval, fromS, toS }: CandleQuery) {
        const { way: paced, ask } = pastOf(instrument);
        if (!past.intervals(market).includes(interval)) return [];
        const seconds = candleIntervals[interval];
        const range = {
          interval,
          fromS: Math.max(0, Math.ceil(fromS / seconds) * seconds),
          toS: Math.ceil(Math.min(toS, ask.nowMs / 1_000) / seconds) * seconds,
        };
        if (!(range.fromS < range.toS)) return [];
        const rows = await fetchCandles(past.candles({ ...ask, ...range }), paced);
        const { ask: now } = pastOf(instrument);
        return toCandles(rows, { ...now, ...range }, isSigned(now.instrument), ({ message }, timeS) =>
          paced.log.warn(
            { feed: id, instrument, interval, timeS, reason: message },
            'older candles do not fit the tick size of today',
          ),
        );
      },
      trades:
        past.trades &&
        (async ({ instrument, ...query }: TradeQuery) => {
          const { way: paced, ask } = pastOf(instrument);
          const range = { fromMs: Math.max(0, Math.floor(query.fromMs)), toMs: Math.ceil(query.toMs) };
          if (!(range.fromMs < range.toMs))
            return { trades: [], fromMs: query.fromMs, toMs: query.fromMs, isWhole: true };
          const found = await fetchTrades(past.trades!({ ...ask, ...range }), paced);
          const { ask: now } = pastOf(instrument);
          return toPastTrades(found, { ...now, ...range }, isSigned(now.instrument));
        }),
    };
  }

  return {
    id,
    ...pastFeed(adapter),
    async start(context: FeedContext) {
      const { clock, log } = context;
      const emit: FeedContext['emit'] = (event) => {
        if (event.type === 'instrument') announced.set(event.instrument.id, event.instrument);
        context.emit(event);
      };
      const spacingMs = options.httpSpacingMs ?? adapter.limits.httpSpacingMs;
      const queue = (http = new HttpQueue({ clock, spacingMs, tap: options.tap }));
      const metadata = await request(context, queue);
      if (metadata === null) return;
      leaveOut(context, metadata);
      const { instruments } = metadata;
      for (const instrument of instruments) emit({ type: 'instrument', instrument });
      const pastSpacingMs = options.httpSpacingMs ?? adapter.past?.spacingMs ?? spacingMs;
      way = { http: queue, clock, log, spacingMs: pastSpacingMs, stopped: abort.signal };
      const relay = new BookRelay(clock, emit);
      const { symbolsPerConnection } = adapter.limits;
      for (let i = 0; i < instruments.length; i += symbolsPerConnection) {
        const part = instruments.slice(i, i + symbolsPerConnection);
        const link = new VenueLink({
          adapter,
          market,
          endpoints,
          instruments: part,
          relay,
          http: queue,
          clock,
          log,
          random: options.random ?? systemRandom,
          sendSpacingMs: options.sendSpacingMs,
          httpSpacingMs: options.httpSpacingMs,
          tap: options.tap,
          fail: context.fail,
        });
        links.push(link);
        for (const instrument of part) listed.set(instrument.id, { instrument, link });
      }
      refreshTimer = every(clock, METADATA_PERIOD_MS, () => void refresh(context, queue));
    },
    resync: (instrument, reason) => listed.get(instrument)?.link.resync(instrument, reason),
    stop() {
      abort.abort();
      refreshTimer?.cancel();
      confirmTimer?.cancel();
      for (const link of links) link.close();
      http?.close();
      return Promise.resolve();
    },
    stats: () => links.flatMap((link) => link.stats()).reduce(sumStats, emptyStats()),
    problems: () => refusals.map(({ message }) => message),
    reconnects: () => links.reduce((sum, link) => sum + link.reconnects, 0),
    replaceConnections(reason) {
      for (const link of links) link.replace(reason);
    },
  };
}

/** An instrument that the venue lists no more is closed; one that it may still list stays as it is. */
function ifMissing(known: Instrument, { refused, isPartial }: Metadata): Instrument {
  if (known.status === 'closed') return known;
  const reasons = [...refused.values()].some(({ code }) => code !== 'unknown_symbol');
  return isPartial || reasons ? known : { ...known, status: 'closed' };
}
