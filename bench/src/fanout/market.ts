import { VirtualClock, type Feed, type FeedContext } from '@depthwire/feeds';
import type { FeedEvent } from '@depthwire/shared';
import { createLogger } from '../../../server/src/cli/logger.ts';
import { parseConfig } from '../../../server/src/config/config.ts';
import { createDepthwire, type Depthwire } from '../../../server/src/depthwire.ts';
import { testInstrument } from '../../../server/test/markets.ts';
import { createRandom } from '../harness/random.ts';
import { instrumentOf, START_MS, TICK_MS } from './plan.ts';

/** Levels a side of the engine's books. */
const BOOK_LEVELS = 150;
/** The mid price in ticks. */
const MID = 50_000;
/** Levels that change with a tick on each side: with 4 bytes each a frame has about 200. */
const BIDS_CHANGED = 23;
const ASKS_CHANGED = 22;
/** Where they lie, in levels from the touch: in the view of all subscribers. */
const REACH = 90;
/** Sizes that take three bytes of MessagePack. */
const MIN_LOTS = 256;
const MAX_LOTS = 65_535;

/** A market whose books all change at each tick, the same in each process. */
class BenchFeed implements Feed {
  readonly id = 'bench';
  readonly #topics: number;
  readonly #random = createRandom(11);
  #context: FeedContext | null = null;

  constructor(topics: number) {
    this.#topics = topics;
  }

  start(context: FeedContext): Promise<void> {
    this.#context = context;
    for (let topic = 0; topic < this.#topics; topic++) {
      const instrument = instrumentOf(topic);
      const timeMs = context.clock.now();
      const side = (sign: 1 | -1) =>
        Array.from({ length: BOOK_LEVELS }, (_, i) => [MID + sign * (i + 1), this.#lots()]).flat();
      context.emit({ type: 'instrument', instrument: testInstrument(instrument, { staleAfterMs: 60_000 }) });
      context.emit({
        type: 'book-snapshot',
        instrument,
        venueTimeMs: timeMs,
        receiveTimeMs: timeMs,
        bids: side(-1),
        asks: side(1),
      });
      context.emit({ type: 'book-status', instrument, timeMs, state: 'live', reason: null });
    }
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#context = null;
    return Promise.resolve();
  }

  /** Makes the updates of a tick, one for each topic. */
  deltas(atMs: number): FeedEvent[] {
    return Array.from({ length: this.#topics }, (_, topic) => ({
      type: 'book-delta',
      instrument: instrumentOf(topic),
      venueTimeMs: atMs,
      receiveTimeMs: atMs,
      bids: this.#changes(BIDS_CHANGED, -1),
      asks: this.#changes(ASKS_CHANGED, 1),
    })) as unknown as FeedEvent[];
  }

  emit(events: readonly FeedEvent[]): void {
    for (const event of events) this.#context!.emit(event);
  }

  #changes(count: number, sign: 1 | -1): number[] {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(Math.floor(this.#random() * REACH));
    return [...chosen].sort((a, b) => a - b).flatMap((i) => [MID + sign * (i + 1), this.#lots()]);
  }

  #lots(): number {
    return MIN_LOTS + Math.floor(this.#random() * (MAX_LOTS - MIN_LOTS));
  }
}

/** A whole Depthwire with the defaults of its configuration, whose market moves when it is told to. */
export class BenchServer {
  readonly port: number;
  readonly depthwire: Depthwire;
  readonly #feed: BenchFeed;
  readonly #clock: VirtualClock;
  #prepared: FeedEvent[][] = [];
  #tick = 0;

  static async start(topics: number): Promise<BenchServer> {
    const clock = new VirtualClock(START_MS);
    const feed = new BenchFeed(topics);
    const depthwire = await createDepthwire({
      config: parseConfig({ port: 0, logLevel: 'silent', history: { store: 'none' } }),
      logger: createLogger('silent'),
      feeds: [feed],
      marketClock: clock,
    });
    const url = new URL(await depthwire.listen());
    return new BenchServer(Number(url.port), depthwire, feed, clock);
  }

  private constructor(port: number, depthwire: Depthwire, feed: BenchFeed, clock: VirtualClock) {
    this.port = port;
    this.depthwire = depthwire;
    this.#feed = feed;
    this.#clock = clock;
  }

  /** Makes what the market does at the next ticks: no part of what a gateway does. */
  prepare(ticks: number): void {
    this.#prepared = Array.from({ length: ticks }, (_, i) =>
      this.#feed.deltas(START_MS + (this.#tick + i + 1) * TICK_MS - 1),
    );
  }

  /** Hands the next updates to the engine, a millisecond before the tick. */
  feed(): void {
    this.#clock.advanceTo(START_MS + (this.#tick + 1) * TICK_MS - 1);
    this.#feed.emit(this.#prepared.shift()!);
  }

  /** The cadences that are due send. */
  flush(): void {
    this.#tick += 1;
    this.#clock.advanceTo(START_MS + this.#tick * TICK_MS);
  }

  close(): Promise<void> {
    return this.depthwire.close();
  }
}
