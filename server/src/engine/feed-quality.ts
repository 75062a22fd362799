import { RecentSamples, type Percentiles } from '@depthwire/shared';
import { Buckets } from '../metrics/buckets.ts';

/** Samples kept of each figure. */
const MAX_SAMPLES = 2_048;
/** Seconds over which a rate is told. */
const RATE_SECONDS = 10;

/** What was measured of a feed lately. */
export interface FeedFigures {
  readonly eventsPerSecond: number;
  /** Age of the newest update of each book, sampled every second, milliseconds. */
  readonly stalenessMs: Percentiles | null;
  /** From the venue's time to the receive time, milliseconds; below zero where the venue's clock is ahead. */
  readonly latencyMs: Percentiles | null;
}

/** How good a feed is, measured as it runs. Clockless: its owner calls `tick` every second. */
export class FeedQuality {
  /** From the venue's time to the receive time, of all events that tell both. */
  readonly venueLatency = new Buckets();
  /** From the receive time of a book's update to the engine's taking it. */
  readonly engineWait = new Buckets();
  readonly #latencies = new RecentSamples(MAX_SAMPLES);
  readonly #ages = new RecentSamples(MAX_SAMPLES);
  /** Events in each of the last seconds, the running one last. */
  readonly #counts = [0];

  /** @param latencyMs null where the event has no venue time */
  event(latencyMs: number | null): void {
    this.#counts[this.#counts.length - 1]! += 1;
    if (latencyMs === null) return;
    this.#latencies.add(latencyMs);
    this.venueLatency.observe(latencyMs);
  }

  /** @param waitMs from the receive time of a book's update to now */
  taken(waitMs: number): void {
    this.engineWait.observe(waitMs);
  }

  /** @param agesMs of the newest update of each book */
  tick(agesMs: Iterable<number>): void {
    for (const age of agesMs) this.#ages.add(age);
    this.#counts.push(0);
    if (this.#counts.length > RATE_SECONDS + 1) this.#counts.shift();
  }

  figures(): FeedFigures {
    const full = this.#counts.slice(0, -1);
    const sum = full.reduce((total, count) => total + count, 0);
    return {
      eventsPerSecond: full.length === 0 ? 0 : sum / full.length,
      stalenessMs: this.#ages.percentiles(),
      latencyMs: this.#latencies.percentiles(),
    };
  }
}
