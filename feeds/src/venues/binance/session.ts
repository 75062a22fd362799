import { decimalScale, decimalsOf, DepthwireError, parseUnits, type EpochMs, type Instrument, type Lots, type Ticks, type Timer } from '@depthwire/shared';
import { BookSync } from '../../core/book-sync.ts';
import { emptyStats, type HttpResponse, type SessionOptions, type VenueSession } from '../../core/venue.ts';
import type { AggregateTrade, DepthSnapshot, DepthUpdate, PriceLevel, RawTrade } from './messages.ts';
import { flattenLevels, parseFrame, parseSnapshot } from './parse.ts';
import { spotSequencer, usdmSequencer } from './sequencer.ts';
import { depthUrl, REQUEST_SPACING_MS, subscribeRequests } from './subscribe.ts';
import type { Market } from './symbols.ts';

interface TrackedSymbol {
  instrument: Instrument;
  readonly sync: BookSync<DepthUpdate, DepthSnapshot>;
  /** Receive time of the frame being worked on. */
  receiveTimeMs: EpochMs;
  wasLive: boolean;
  /** `trade` and `aggTrade` tell the same trades: the kind seen first counts. */
  tradeKind: 'trade' | 'aggTrade' | null;
}

export function createBinanceSession({ market, endpoints, instruments, io }: SessionOptions): VenueSession {
  const stats = emptyStats();
  const symbols = new Map<string, TrackedSymbol>();
  let timers: Timer[] = [];
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
      tradeKind: null,
    };
    symbols.set(symbol, tracked);
  }

  function emitState(tracked: TrackedSymbol, state: 'syncing' | 'live' | 'recovering', reason: string | null): void {
    io.emit({ type: 'book-status', instrument: tracked.instrument.id, timeMs: io.clock.now(), state, reason });
  }

  function requestSnapshot(symbol: string): void {
    io.get(depthUrl(market as Market, endpoints, symbol), (result) => {
      if (!disposed && open) onSnapshotResult(symbol, result);
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
      io.log.warn({ instrument: tracked.instrument.id, code: error.code, reason: error.message }, 'unusable snapshot');
      tracked.sync.onSnapshotFailed(null);
    }
  }

  function applySnapshot(tracked: TrackedSymbol, snapshot: DepthSnapshot): void {
    withGrid(tracked, snapshot.bids, snapshot.asks);
    const { id, tick, lot } = tracked.instrument;
    io.emit({
      type: 'book-snapshot',
      instrument: id,
      venueTimeMs: snapshot.timeMs as EpochMs | null,
      receiveTimeMs: tracked.receiveTimeMs,
      bids: flattenLevels(snapshot.bids, tick, lot),
      asks: flattenLevels(snapshot.asks, tick, lot),
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
      // The book misses this diff: a finer grid, if that is what is wrong, comes with its snapshot.
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

  /**
   * Makes the instrument's grid fine enough for the levels: a venue may change its tick size
   * while older orders rest between the new ticks.
   */
  function withGrid(tracked: TrackedSymbol, ...sides: readonly (readonly PriceLevel[])[]): void {
    const { tick, lot } = tracked.instrument;
    let tickDecimals = -1;
    let lotDecimals = -1;
    for (const [price, quantity] of sides.flat()) {
      if (isOffGrid(price, tick)) tickDecimals = Math.max(tickDecimals, tick.decimals, decimalsOf(price));
      if (isOffGrid(quantity, lot)) lotDecimals = Math.max(lotDecimals, lot.decimals, decimalsOf(quantity));
    }
    if (tickDecimals < 0 && lotDecimals < 0) return;
    tracked.instrument = {
      ...tracked.instrument,
      tick: tickDecimals < 0 ? tick : decimalScale(tickDecimals),
      lot: lotDecimals < 0 ? lot : decimalScale(lotDecimals),
    };
    io.log.warn({ instrument: tracked.instrument.id, tickDecimals, lotDecimals }, 'levels off the grid, using a finer one');
    io.emit({ type: 'instrument', instrument: tracked.instrument });
  }

  function onTrade(kind: 'trade' | 'aggTrade', trade: RawTrade | AggregateTrade, receiveTimeMs: EpochMs): void {
    const tracked = symbols.get(trade.s);
    if (!tracked) return;
    tracked.tradeKind ??= kind;
    if (tracked.tradeKind !== kind) return;
    if ('X' in trade && trade.X !== undefined && trade.X !== 'MARKET') return;
    const { id, tick, lot } = tracked.instrument;
    const size = parseUnits(trade.q, lot);
    if (size === 0) return;
    stats.trades += 1;
    io.emit({
      type: 'trade',
      instrument: id,
      venueTimeMs: trade.T as EpochMs,
      receiveTimeMs,
      id: 'a' in trade ? trade.a : trade.t,
      price: parseUnits(trade.p, tick) as Ticks,
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
        if (frame.answer.error !== null) {
          io.log.error({ market, reason: frame.answer.error }, 'the venue refused a subscription');
        }
        return;
      case 'other':
    }
  }

  return {
    stats,
    onOpen() {
      open = true;
      const now = io.clock.now();
      for (const [i, request] of subscribeRequests(market as Market, [...symbols.keys()]).entries()) {
        timers.push(io.clock.at(now + i * REQUEST_SPACING_MS, () => io.send(request)));
      }
      for (const tracked of symbols.values()) {
        emitState(tracked, 'syncing', null);
        tracked.sync.start();
      }
    },
    onFrame(text, receiveTimeMs) {
      stats.frames += 1;
      try {
        handle(text, receiveTimeMs);
      } catch (error) {
        if (!(error instanceof DepthwireError)) throw error;
        stats.malformed += 1;
        io.log.warn({ market, code: error.code, reason: error.message }, 'frame skipped');
      }
    },
    onClose(reason) {
      open = false;
      cancelTimers();
      for (const tracked of symbols.values()) {
        tracked.sync.stop();
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

function isOffGrid(text: string, scale: Instrument['tick']): boolean {
  try {
    parseUnits(text, scale);
    return false;
  } catch (error) {
    return error instanceof DepthwireError && error.code === 'off_grid';
  }
}
