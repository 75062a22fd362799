import type { ClientView, Encoding, InstrumentId, SubscriptionView, Topic } from '@depthwire/shared';
import {
  frameFields,
  FrameInspector,
  FrameTotals,
  passes,
  type FrameFilter,
  type InspectedFrame,
  type KindTotals,
} from '@depthwire/shared/inspect';
import { untrack } from 'svelte';
import { Connection } from './connection.svelte.ts';
import { cancelFrame, requestFrame } from './frames.ts';

/** Messages that are kept to be looked at. */
const MAX_FRAMES = 2_000;
/** Sums change so often that they can be read. */
const SUMS_MS = 500;

/** A message and its number, counted from the beginning of the page. */
export interface Entry {
  readonly id: number;
  readonly frame: InspectedFrame;
}

interface Sums {
  readonly frames: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly malformed: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly kinds: readonly (readonly [kind: string, totals: KindTotals])[];
}

const NOTHING: Sums = {
  ...{ frames: 0, bytes: 0, gaps: 0, malformed: 0, framesPerSecond: 0, bytesPerSecond: 0 },
  kinds: [],
};

/** A connection of its own whose messages are shown; the dashboard's has nothing of it. */
export class Inspector {
  readonly connection: Connection;
  /** What passes the filter, the newest first. */
  rows = $state.raw<readonly Entry[]>([]);
  sums = $state.raw<Sums>(NOTHING);
  direction = $state<'in' | 'out' | 'all'>('all');
  kind = $state<string | null>(null);
  text = $state('');
  isPaused = $state(false);
  /** Messages that came while the list stood still. */
  waiting = $state(0);
  /** Why a subscription was refused. */
  refusal = $state<string | null>(null);

  #entries: Entry[] = [];
  #count = 0;
  #isHeld = false;
  #reader = new FrameInspector();
  #totals = new FrameTotals();
  #subscriptions: SubscriptionView[] = [];

  constructor(url: string, encoding: Encoding) {
    this.connection = new Connection(url, encoding);
  }

  /** Call while a component is made; returns how to stop. */
  start(): () => void {
    // Before the first message: what channels are is learnt from the messages.
    const unlisten = this.connection.client.on('frame', (raw) => {
      const frame = this.#reader.read(raw);
      this.#totals.add(frame);
      this.#count += 1;
      this.#entries.push({ id: this.#count, frame });
      // Seldom, for it moves all of them.
      if (this.#entries.length >= 2 * MAX_FRAMES) this.#entries.splice(0, MAX_FRAMES);
      requestFrame(this.#draw);
    });
    $effect(() => {
      void [this.direction, this.kind, this.text];
      untrack(() => this.#show());
    });
    const stop = untrack(() => this.connection.start());
    const timer = setInterval(() => this.#sum(), SUMS_MS);
    return () => {
      clearInterval(timer);
      unlisten();
      cancelFrame(this.#draw);
      stop();
    };
  }

  /** Subscribes to these, and no longer to those before. */
  watch(instrument: InstrumentId, topics: readonly Topic[]): void {
    const { client } = this.connection;
    const before = this.#subscriptions;
    this.refusal = null;
    this.#subscriptions = topics.map((topic) => {
      const subscription = subscribe(client, topic, instrument);
      subscription.on('error', (error) => {
        if (!error.retry) this.refusal = error.message;
      });
      return subscription;
    });
    for (const subscription of before) subscription.close();
  }

  /** Whether the list stands still because somebody points at it. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    requestFrame(this.#draw);
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    requestFrame(this.#draw);
  }

  /** Forgets the messages and the sums; what the channels are stays known. */
  clear(): void {
    this.#entries = [];
    this.#totals = new FrameTotals();
    this.#show();
    this.#sum();
  }

  readonly #draw = (): void => {
    if (this.isPaused || this.#isHeld) {
      const shown = this.rows[0]?.id ?? 0;
      const filter = this.#filter();
      this.waiting = this.#entries.filter(({ id, frame }) => id > shown && passes(frame, filter)).length;
    } else this.#show();
  };

  #show(): void {
    const filter = this.#filter();
    this.waiting = 0;
    this.rows = this.#entries
      .slice(-MAX_FRAMES)
      .filter(({ frame }) => passes(frame, filter))
      .reverse();
  }

  #filter(): FrameFilter {
    const { direction, kind, text } = this;
    return {
      direction: direction === 'all' ? undefined : direction,
      kinds: kind === null ? undefined : [kind],
      text: text.trim(),
    };
  }

  #sum(): void {
    const { frames, bytes, gaps, malformed } = this.#totals;
    // In the protocol's order, which stays: nothing changes places while somebody looks.
    const kinds = [...this.#totals.byKind]
      .map(([kind, totals]) => [kind, { ...totals }] as const)
      .sort(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
    this.sums = { frames, bytes, gaps, malformed, kinds, ...this.#totals.rates(performance.now()) };
  }
}

const places = Object.keys(frameFields);

/** Data frames by their code, and all others behind them. */
function placeOf(kind: string): number {
  const place = places.indexOf(kind);
  return place < 0 ? places.length : place;
}

function subscribe(client: ClientView, topic: Topic, instrument: InstrumentId): SubscriptionView {
  if (topic === 'book') return client.book(instrument, { depth: 20 });
  if (topic === 'candles') return client.candles(instrument, { interval: '1m' });
  return client[topic](instrument);
}
