import {
  decimalScale,
  decimalsOf,
  DepthwireError,
  parseUnits,
  type EpochMs,
  type Instrument,
  type Lots,
  type Ticks,
  type Timer,
} from '@depthwire/shared';
import { BookSync } from '../../core/book-sync.ts';
import { emptyStats, type HttpResponse, type SessionOptions, type VenueSession } from '../../core/venue.ts';
import type {
  AggregateTrade,
  DepthSnapshot,
  DepthUpdate,
  PriceLevel,
  RawTrade,
  RequestAnswer,
} from './messages.ts';
import { flattenLevels, mayBeDepth, parseFrame, parseSnapshot, symbolIn } from './parse.ts';
import { spotSequencer, usdmSequencer } from './sequencer.ts';
import { depthUrl, REQUEST_SPACING_MS, requestedSymbols, subscribeRequests } from './subscribe.ts';
import type { Market } from './symbols.ts';

interface TrackedSymbol {
  instrument: Instrument;
  readonly sync: BookSync<DepthUpdate, DepthSnapshot>;
  /** Receive time of the frame being worked on. */
  receiveTimeMs: EpochMs;
  wasLive: boolean;
  /** Whether the streams are known to flow: a snapshot taken before could miss what came between. */
  isSubscribed: boolean;
  /** Levels of a diff that the grid was too coarse for; they may lie too deep for a snapshot to show. */
  offGrid: readonly PriceLevel[];
  /** `trade` and `aggTrade` tell the same trades: the kind seen first counts. */
  tradeKind: 'trade' | 'aggTrade' | null;
}

export function createBinanceSession({ market, endpoints, instruments, io }: SessionOptions): VenueSession {
  const stats = emptyStats();
  const symbols = new Map<string, TrackedSymbol>();
  let timers: Timer[] = [];
  /** Why the connection before was lost. */
  let lostBecause: string | null = null;
  /** Which connection this is, so that answers asked for on an earlier one are not taken. */
  let connection = 0;
  let open = false;
  let disposed = false;

  for (const instrument of instruments) {
    const symbol = instrument.symbol;
    const sequencer = market === 'spot' ? spotSequencer : usdmSequencer;
    const sync = new BookSync<DepthUpdate, DepthSnapshot>(sequencer, io.clock, {
      requestSnapshot: () => requestSnapshot(symbol),
      applySnapshot: (snapshot) => applySnapshot(tracked, snapshot),
      applyDiff: (diff) => applyDiff(tracked, diff),
      live() {
        tracked.wasLive = true;
        emitState(tracked, 'live', null);
      },
      doubted: (reason) => emitState(tracked, 'recovering', reason),
      lost(reason) {
        if (tracked.wasLive) stats.resyncs += 1;
        tracked.wasLive = false;
        io.log.warn({ instrument: tracked.instrument.id, reason }, 'book lost, resyncing');
        emitState(tracked, 'recovering', reason);
      },
      link: () => (stats.links += 1),
      gap: () => (stats.gaps += 1),
    });
    const tracked: TrackedSymbol = {
      instrument,
      sync,
      receiveTimeMs: io.clock.now(),
      wasLive: false,
      isSubscribed: false,
      offGrid: [],
      tradeKind: null,
    };
    symbols.set(symbol, tracked);
  }

  function emitState(
    tracked: TrackedSymbol,
    state: 'syncing' | 'live' | 'recovering',
    reason: string | null,
  ): void {
    io.emit({
      type: 'book-status',
      instrument: tracked.instrument.id,
      timeMs: io.clock.now(),
      state,
      reason,
    });
  }

  function requestSnapshot(symbol: string): void {
    const asked = connection;
    io.get(depthUrl(market as Market, endpoints, symbol), (result) => {
      if (!disposed && open && asked === connection) onSnapshotResult(symbol, result);
    });
  }

  function onSnapshotResult(symbol: string, result: HttpResponse | DepthwireError): void {
    const tracked = symbols.get(symbol)!;
    if (result instanceof DepthwireError || result.status !== 200) {
      const reason = result instanceof DepthwireError ? result.message : `HTTP ${result.status}`;
      io.log.warn({ instrument: tracked.instrument.id, reason }, 'no snapshot');
      tracked.sync.onSnapshotFailed(result instanceof DepthwireError ? null : result.retryAfterMs);
      return;
    }
    tracked.receiveTimeMs = result.receiveTimeMs;
    try {
      tracked.sync.onSnapshot(parseSnapshot(result.body));
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      stats.malformed += 1;
      io.log.warn(
        { instrument: tracked.instrument.id, code: error.code, reason: error.message },
        'unusable snapshot',
      );
      tracked.sync.onSnapshotFailed(null);
    }
  }

  function applySnapshot(tracked: TrackedSymbol, snapshot: DepthSnapshot): void {
    const { offGrid } = tracked;
    tracked.offGrid = [];
    const instrument = withGrid(tracked.instrument, snapshot.bids, snapshot.asks, offGrid);
    const bids = flattenLevels(snapshot.bids, instrument.tick, instrument.lot);
    const asks = flattenLevels(snapshot.asks, instrument.tick, instrument.lot);
    setInstrument(tracked, instrument);
    io.emit({
      type: 'book-snapshot',
      instrument: instrument.id,
      venueTimeMs: snapshot.timeMs as EpochMs | null,
      receiveTimeMs: tracked.receiveTimeMs,
      bids,
      asks,
    });
  }

  function applyDiff(tracked: TrackedSymbol, diff: DepthUpdate): void {
    const { id, tick, lot } = tracked.instrument;
    let bids: number[];
    let asks: number[];
    try {
      bids = flattenLevels(diff.b, tick, lot);
      asks = flattenLevels(diff.a, tick, lot);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      stats.malformed += 1;
      // The book misses this diff. A finer grid, if that is what is wrong, comes with the snapshot.
      tracked.offGrid = error.code === 'off_grid' ? [...diff.b, ...diff.a] : [];
      tracked.sync.resync(`${error.code}: ${error.message}`);
      return;
    }
    io.emit({
      type: 'book-delta',
      instrument: id,
      venueTimeMs: (diff.T ?? diff.E) as EpochMs,
      receiveTimeMs: tracked.receiveTimeMs,
      bids,
      asks,
    });
  }

  function setInstrument(tracked: TrackedSymbol, instrument: Instrument): void {
    if (instrument === tracked.instrument) return;
    tracked.instrument = instrument;
    const { id, tick, lot } = instrument;
    io.log.warn(
      { instrument: id, tickDecimals: tick.decimals, lotDecimals: lot.decimals },
      'levels off the grid, using a finer one',
    );
    io.emit({ type: 'instrument', instrument });
  }

  function onTrade(
    kind: 'trade' | 'aggTrade',
    trade: RawTrade | AggregateTrade,
    receiveTimeMs: EpochMs,
  ): void {
    const tracked = symbols.get(trade.s);
    if (!tracked) return;
    tracked.tradeKind ??= kind;
    if (tracked.tradeKind !== kind) return;
    if ('X' in trade && trade.X !== undefined && trade.X !== 'MARKET') return;
    const { id, tick, lot } = tracked.instrument;
    const [price, size] = flattenLevels([[trade.p, trade.q]], tick, lot);
    if (size === 0) return;
    stats.trades += 1;
    io.emit({
      type: 'trade',
      instrument: id,
      venueTimeMs: trade.T as EpochMs,
      receiveTimeMs,
      id: 'a' in trade ? trade.a : trade.t,
      price: price as Ticks,
      size: size as Lots,
      side: trade.m ? 'sell' : 'buy',
    });
  }

  function handle(text: string, receiveTimeMs: EpochMs): void {
    const frame = parseFrame(text);
    switch (frame.kind) {
      case 'depth': {
        const tracked = symbols.get(frame.depth.s);
        if (!tracked) return;
        subscribed(tracked);
        stats.bookUpdates += 1;
        tracked.receiveTimeMs = receiveTimeMs;
        tracked.sync.onDiff(frame.depth);
        return;
      }
      case 'trade':
      case 'aggTrade':
        onTrade(frame.kind, frame.trade, receiveTimeMs);
        return;
      case 'answer':
        onAnswer(frame.answer);
        return;
      case 'other':
    }
  }

  /** Whose frame it may have been: what still can be read of it tells, else it may be anybody's. */
  function concerned(text: string): Iterable<TrackedSymbol> {
    const tracked = symbols.get(symbolIn(text) ?? '');
    return tracked ? [tracked] : symbols.values();
  }

  function onAnswer({ id, error }: RequestAnswer): void {
    const asked = id === null ? [] : requestedSymbols(id, [...symbols.keys()]);
    if (error === null) {
      for (const symbol of asked) subscribed(symbols.get(symbol)!);
      return;
    }
    io.log.error({ market, reason: error }, 'the venue refused a subscription');
    for (const symbol of asked)
      emitState(symbols.get(symbol)!, 'recovering', `the venue refused the subscription: ${error}`);
  }

  function subscribed(tracked: TrackedSymbol): void {
    if (tracked.isSubscribed || !open) return;
    tracked.isSubscribed = true;
    tracked.sync.start();
  }

  return {
    stats,
    onOpen(isSubscribed = false) {
      open = true;
      connection += 1;
      const now = io.clock.now();
      for (const [i, request] of subscribeRequests(market as Market, [...symbols.keys()]).entries()) {
        timers.push(io.clock.at(now + i * REQUEST_SPACING_MS, () => io.send(request)));
      }
      for (const tracked of symbols.values()) {
        emitState(tracked, 'syncing', lostBecause);
        tracked.isSubscribed = false;
        if (isSubscribed) subscribed(tracked);
      }
    },
    onFrame(text, receiveTimeMs) {
      if (disposed) return;
      stats.frames += 1;
      try {
        handle(text, receiveTimeMs);
      } catch (error) {
        if (!(error instanceof DepthwireError)) throw error;
        stats.malformed += 1;
        io.log.warn({ market, code: error.code, reason: error.message }, 'frame skipped');
        if (mayBeDepth(text))
          for (const tracked of concerned(text)) tracked.sync.doubt(`${error.code}: ${error.message}`);
      }
    },
    onClose(reason) {
      open = false;
      lostBecause = reason;
      cancelTimers();
      for (const tracked of symbols.values()) {
        tracked.sync.stop();
        if (tracked.wasLive) stats.resyncs += 1;
        tracked.wasLive = false;
        emitState(tracked, 'recovering', reason);
      }
    },
    resync(instrument, reason) {
      for (const tracked of symbols.values()) {
        if (tracked.instrument.id === instrument) tracked.sync.resync(reason);
      }
    },
    dispose() {
      disposed = true;
      cancelTimers();
      for (const tracked of symbols.values()) tracked.sync.stop();
    },
  };

  function cancelTimers(): void {
    for (const timer of timers) timer.cancel();
    timers = [];
  }
}

/**
 * The instrument with a grid fine enough for the levels: a venue may change its tick size while
 * older orders rest between the new ticks.
 */
function withGrid(instrument: Instrument, ...sides: readonly (readonly PriceLevel[])[]): Instrument {
  const { tick, lot } = instrument;
  let tickDecimals = -1;
  let lotDecimals = -1;
  for (const [price, quantity] of sides.flat()) {
    if (isOffGrid(price, tick)) tickDecimals = Math.max(tickDecimals, tick.decimals, decimalsOf(price));
    if (isOffGrid(quantity, lot)) lotDecimals = Math.max(lotDecimals, lot.decimals, decimalsOf(quantity));
  }
  if (tickDecimals < 0 && lotDecimals < 0) return instrument;
  return {
    ...instrument,
    tick: tickDecimals < 0 ? tick : decimalScale(tickDecimals),
    lot: lotDecimals < 0 ? lot : decimalScale(lotDecimals),
  };
}

function isOffGrid(text: string, scale: Instrument['tick']): boolean {
  try {
    parseUnits(text, scale);
    return false;
  } catch (error) {
    return error instanceof DepthwireError && error.code === 'off_grid';
  }
}
