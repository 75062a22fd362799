import { createRandom } from '../harness/random.ts';

/** The market moves once in so much of its own time, milliseconds: the fastest cadence of all plans. */
export const TICK_MS = 50;
export const START_MS = 1_700_000_000_000;
/** Levels a side of the book channels; what the engine's books hold is more. */
export const DEPTH = 100;

/** Who receives what in a scenario. */
export interface Plan {
  readonly clients: number;
  readonly topics: number;
  /** Topics of one client. */
  readonly topicsEach: number;
  /** Each client has one of these for all of its topics, milliseconds. */
  readonly cadencesMs: readonly number[];
  /** Ticks of a round: a whole number of all cadences, so that all clients end at the engine's book. */
  readonly ticks: number;
}

export interface Subscriptions {
  readonly cadenceMs: number;
  readonly topics: readonly number[];
}

export function instrumentOf(topic: number): string {
  return `bench:T${String(topic).padStart(3, '0')}-USD`;
}

/** What each client subscribes to: all topics, or its own random ones. The same in each process. */
export function subscriptionsOf({ clients, topics, topicsEach, cadencesMs }: Plan): Subscriptions[] {
  const random = createRandom(7);
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: clients }, () => {
    const chosen = new Set<number>();
    if (topicsEach === topics) for (let topic = 0; topic < topics; topic++) chosen.add(topic);
    while (chosen.size < topicsEach) chosen.add(below(topics));
    return { cadenceMs: cadencesMs[below(cadencesMs.length)]!, topics: [...chosen] };
  });
}

/** Whether a cadence sends at a tick; ticks count from 1. */
export function isDue(cadenceMs: number, tick: number): boolean {
  return (tick * TICK_MS) % cadenceMs === 0;
}

/** Frames that reach all clients together at a tick. */
export function framesAt(subscriptions: readonly Subscriptions[], tick: number): number {
  let frames = 0;
  for (const { cadenceMs, topics } of subscriptions) if (isDue(cadenceMs, tick)) frames += topics.length;
  return frames;
}
