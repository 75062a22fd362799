import { DepthwireError, isCandleInterval } from '@depthwire/shared';
import type { Candle, Clock, EpochMs, Lots, Ticks, Timer } from '@depthwire/shared';
import type { CandleQuery, Feed, FeedContext } from '../core/feed.ts';
import { historyCandles, historyRange } from './candle-history.ts';
import type { HistoryRange } from './candle-history.ts';
import { Market } from './market.ts';
import { checkOptions } from './options.ts';
import type { CheckedOptions, SimulatorOptions } from './options.ts';
import { PricePath } from './price-path.ts';
import { SIMULATOR_ID, staleAfterMs } from './profiles.ts';
import type { MarketProfile } from './profiles.ts';
import type { MarketListener } from './quotes.ts';
import { hashText, Random } from './random.ts';

/** Trade ids count up from the start time times this, so that they also grow over restarts. */
const TRADE_IDS_PER_MS = 100;
const FLOW_KEY = hashText('order-flow');

/** What lives from `start` to `stop`. */
interface Run {
  readonly clock: Clock;
  readonly history: HistoryRange;
  readonly timers: Map<string, Timer>;
}

/**
 * A feed of simulated markets that a trader would believe: order flow on real books around
 * prices with a past. Given seed, options and clock, its events are always the same.
 *
 * Candles reach back `historyDays` from the start, and their prices join the live ones. They are
 * closed ones, but for the one that was open at the start: it covers the time up to the second of
 * the start, for the engine to go on with. Later candles are not here; live trades make them.
 * @throws DepthwireError `invalid_config`
 */
export function createSimulatorFeed(options: SimulatorOptions = {}): Feed {
  return new SimulatorFeed(checkOptions(options));
}

class SimulatorFeed implements Feed {
  readonly id = SIMULATOR_ID;
  readonly #options: CheckedOptions;
  readonly #seed: number;
  readonly #paths = new Map<string, PricePath>();
  #run: Run | null = null;

  constructor(options: CheckedOptions) {
    this.#options = options;
    this.#seed = hashText(options.seed);
    for (const profile of options.profiles) {
      this.#paths.set(profile.instrument.id, new PricePath(this.#seed, profile, options.rate));
    }
  }

  async start(context: FeedContext): Promise<void> {
    if (this.#run !== null)
      throw new DepthwireError('internal', 'the simulator is already started; stop it first');
    const startMs = context.clock.now();
    const run: Run = {
      clock: context.clock,
      history: historyRange(startMs, this.#options.historyDays),
      timers: new Map(),
    };
    this.#run = run;
    for (const profile of this.#options.profiles) this.#open(profile, startMs, run, context);
    context.log.info({ instruments: this.#options.profiles.length }, 'simulator started');
  }

  async stop(): Promise<void> {
    for (const timer of this.#run?.timers.values() ?? []) timer.cancel();
    this.#run = null;
  }

  /**
   * @throws DepthwireError `unknown_instrument`, `invalid_request` for an interval or time that
   *   does not exist, `unavailable` before the start
   */
  async candles(query: CandleQuery): Promise<Candle[]> {
    const path = this.#paths.get(query.instrument);
    if (path === undefined) {
      throw new DepthwireError('unknown_instrument', `the simulator has no instrument ${query.instrument}`, {
        instrument: query.instrument,
      });
    }
    if (!isCandleInterval(query.interval) || Number.isNaN(query.fromS) || Number.isNaN(query.toS)) {
      throw new DepthwireError(
        'invalid_request',
        `no candles of ${query.interval} from ${query.fromS} to ${query.toS}`,
      );
    }
    if (this.#run === null) throw new DepthwireError('unavailable', 'the simulator is not started');
    return historyCandles(path, query.interval, query.fromS, query.toS, this.#run.history);
  }

  candlesFromS(): number | undefined {
    return this.#run?.history.fromS;
  }

  #open(profile: MarketProfile, startMs: number, run: Run, context: FeedContext): void {
    const { clock } = context;
    const instrument = profile.instrument.id;
    let timeMs = startMs as EpochMs;
    let tradeId = Math.floor(startMs) * TRADE_IDS_PER_MS;
    const listener: MarketListener = {
      onDelta: (bids, asks) =>
        context.emit({
          type: 'book-delta',
          instrument,
          venueTimeMs: timeMs,
          receiveTimeMs: timeMs,
          bids,
          asks,
        }),
      onTrade: (ticks, lots, side) =>
        context.emit({
          type: 'trade',
          instrument,
          venueTimeMs: timeMs,
          receiveTimeMs: timeMs,
          id: ++tradeId,
          price: ticks as Ticks,
          size: lots as Lots,
          side,
        }),
    };
    const random = new Random(this.#seed, hashText(instrument), FLOW_KEY);
    const market = new Market(
      profile,
      this.#paths.get(instrument)!,
      random,
      this.#options.rate,
      startMs,
      listener,
    );

    const patienceMs = staleAfterMs(profile.updatesPerS * this.#options.rate);
    context.emit({ type: 'instrument', instrument: { ...profile.instrument, staleAfterMs: patienceMs } });
    context.emit({
      type: 'book-snapshot',
      instrument,
      venueTimeMs: timeMs,
      receiveTimeMs: timeMs,
      bids: market.book.bids.toFlat(),
      asks: market.book.asks.toFlat(),
    });
    context.emit({ type: 'book-status', instrument, timeMs, state: 'live', reason: null });

    const arm = () => {
      const timer = clock.at(market.nextStepMs(), () => {
        timeMs = clock.now();
        market.step(timeMs);
        if (this.#run === run) arm();
      });
      run.timers.set(instrument, timer);
    };
    arm();
  }
}
