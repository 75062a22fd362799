import { RecentSamples, type Percentiles } from '../model/samples.ts';
import type { BookView, ClientView } from './views.ts';

const DEFAULT_WINDOW = 512;
/** The times in frames are whole milliseconds. */
const CLOCK_STEP_MS = 1;

/** One part of the way of an update, milliseconds; percentiles over the window. */
export interface Hop extends Percentiles {
  /** Of the newest frame. */
  readonly last: number;
  /** How far off each of these may be, either way; null where nobody can tell. */
  readonly uncertaintyMs: number | null;
}

/** The parts of the way from a venue to this machine; null where they cannot be known. */
export interface Latency {
  /**
   * Venue to server: the newest update's receive time less the venue's. Two clocks that nobody has compared, so its
   * uncertainty is null. None where the venue gives no time.
   */
  readonly venue: Hop | null;
  /** In the server, the wait for the cadence included: send time less receive time of a frame's oldest update. */
  readonly server: Hop | null;
  /**
   * Server to this machine. Known once the clocks have been compared, and not in a replay, whose clock is that of
   * the recording.
   */
  readonly network: Hop | null;
}

/**
 * Measures the parts of the way that a book's updates have taken. Only deltas tell: a snapshot or a merged frame
 * has the time of the state that it holds, not of its sending.
 */
export class LatencyMeter {
  readonly #client: ClientView;
  readonly #subscription: BookView;
  readonly #window: number;
  readonly #venue: RecentSamples;
  readonly #server: RecentSamples;
  /** Between the two clocks as they are: what is known of their offset by the time of asking is right for all. */
  #network: RecentSamples;
  readonly #offs: (() => void)[];

  /** @param window frames over which the percentiles are */
  constructor(client: ClientView, subscription: BookView, window: number = DEFAULT_WINDOW) {
    this.#client = client;
    this.#subscription = subscription;
    this.#window = window;
    this.#venue = new RecentSamples(window);
    this.#server = new RecentSamples(window);
    this.#network = new RecentSamples(window);
    this.#offs = [
      subscription.on('change', () => this.#measure()),
      // The next server may have another clock.
      client.on('state', () => (this.#network = new RecentSamples(this.#window))),
    ];
  }

  /** The figures now; sorts the window, so ask as often as somebody reads them. */
  get latency(): Latency {
    const { clockOffsetMs, clockUncertaintyMs } = this.#client;
    return {
      venue: hopOf(this.#venue, null),
      server: hopOf(this.#server, CLOCK_STEP_MS),
      network:
        clockOffsetMs === null || clockUncertaintyMs === null
          ? null
          : hopOf(this.#network, clockUncertaintyMs + CLOCK_STEP_MS, clockOffsetMs),
    };
  }

  /** Measures no more; what was measured stays. */
  close(): void {
    for (const off of this.#offs) off();
  }

  #measure(): void {
    const { replica, receivedAtMs, instrument } = this.#subscription;
    if (!replica.isDelta || receivedAtMs === null) return;
    if (replica.lagMs !== null) this.#venue.add(replica.lagMs);
    this.#server.add(replica.ageMs);
    if (instrument?.origin !== 'replayed') this.#network.add(receivedAtMs - replica.timeMs);
  }
}

/** @param shiftMs added to each sample */
function hopOf(samples: RecentSamples, uncertaintyMs: number | null, shiftMs = 0): Hop | null {
  const { last } = samples;
  const percentiles = samples.percentiles();
  if (last === null || percentiles === null) return null;
  const { p50, p99 } = percentiles;
  return { last: last + shiftMs, p50: p50 + shiftMs, p99: p99 + shiftMs, uncertaintyMs };
}
