import type { FeedEvent, FlatLevels } from '@depthwire/shared';
import { VirtualClock } from '../core/virtual-clock.ts';
import { createSimulatorFeed } from '../simulator/simulator-feed.ts';
import { FeedObserver } from './feed-observer.ts';
import { textUnits, unitsText, type Side } from './truth-book.ts';

const START_MS = Date.parse('2026-11-20T12:00:00Z');

/** A level as it is from now on; quantity zero where it is gone. */
export interface LevelChange {
  readonly side: Side;
  readonly price: string;
  readonly quantity: string;
}

export interface SimulatedFlowOptions {
  /** Of the simulator: `sim:BTC-USD`. */
  readonly instrument: string;
  /** The grid that its levels are brought onto, tick for tick and lot for lot, and the price that they begin at. */
  readonly tick: string;
  readonly lot: string;
  readonly price: string;
}

/** The order flow of one of the simulator's markets, moved onto another grid: a venue's book that lives. */
export class SimulatedFlow {
  /** The book that it begins with. */
  readonly opening: readonly LevelChange[];
  readonly #clock: VirtualClock;
  readonly #stop: () => Promise<void>;
  #changes: LevelChange[] = [];

  private constructor(clock: VirtualClock, opening: readonly LevelChange[], stop: () => Promise<void>) {
    this.#clock = clock;
    this.opening = opening;
    this.#stop = stop;
  }

  static async start({ instrument, tick, lot, price }: SimulatedFlowOptions): Promise<SimulatedFlow> {
    const clock = new VirtualClock(START_MS);
    const feed = createSimulatorFeed({ instruments: [instrument], historyDays: 0 });
    const [tickUnits, lotUnits, priceUnits] = [tick, lot, price].map(textUnits) as [number, number, number];
    let middle: number | null = null;
    const levelsOf = (side: Side, flat: FlatLevels): LevelChange[] => {
      const changes: LevelChange[] = [];
      for (let i = 0; i < flat.length; i += 2) {
        const units = (flat[i]! - middle!) * tickUnits + priceUnits;
        if (units > 0)
          changes.push({ side, price: unitsText(units), quantity: unitsText(flat[i + 1]! * lotUnits) });
      }
      return changes;
    };
    let opening: LevelChange[] = [];
    let flow: SimulatedFlow | null = null;
    const observer = new FeedObserver(clock, (event: FeedEvent) => {
      if (event.type !== 'book-snapshot' && event.type !== 'book-delta') return;
      middle ??= event.bids[0]!;
      const changes = [...levelsOf('bid', event.bids), ...levelsOf('ask', event.asks)];
      if (flow) flow.#changes.push(...changes);
      else opening = [...opening, ...changes];
    });
    await feed.start(observer.context);
    flow = new SimulatedFlow(clock, opening, () => feed.stop());
    return flow;
  }

  /** What changes within so many milliseconds, in order. */
  advance(ms: number): readonly LevelChange[] {
    this.#clock.advanceTo(this.#clock.now() + ms);
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}
