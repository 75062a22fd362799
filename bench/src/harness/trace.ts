import { createRandom } from './random.ts';

/** Updates of a trace in flat arrays; those of a batch come in one message. */
export interface Trace {
  /** Price of each level of the first books, with its size: `ticks, lots` pairs, best first. */
  readonly bids: readonly number[];
  readonly asks: readonly number[];
  /** 0 for a bid, 1 for an ask. */
  readonly sides: Uint8Array;
  readonly ticks: Float64Array;
  /** Absolute; zero removes. */
  readonly lots: Float64Array;
  /** Index of the update after the last of each batch. */
  readonly batchEnds: Uint32Array;
}

export interface TraceOptions {
  readonly updates: number;
  readonly seed: number;
  /** Price of the touch at the beginning, ticks. */
  readonly start: number;
  /** Distance of neighbouring prices, ticks: how coarse the prices are in comparison with the tick. */
  readonly stride: number;
  /** How far the price goes from the start to the end, as a factor. */
  readonly drift: number;
  /** Part of the updates that are far away, at up to a hundred times the touch. */
  readonly far: number;
}

export const ORDINARY: TraceOptions = {
  updates: 2_000_000,
  seed: 7,
  start: 5_000_000,
  stride: 1,
  drift: 1,
  far: 0.002,
};

/** Prices either side that the levels lie on. */
const REACH = 1_000;
const NEAR = 20;
/** Of the prices in reach this part has a level: 750 of them. */
const FULLNESS = 0.75;
/** Part of the updates to an existing level that remove it, which makes 27 % of all. */
const REMOVED = 0.36;
const MEAN_BATCH = 12;
const FAR_PRICES = 25;
/** Prices that the touch goes by in one move at most. */
const MAX_STEP = 3;

/**
 * A market with 750 levels a side in which 80 % of the updates are within 20 prices of the touch and 27 %
 * remove a level; the touch wanders, and levels that it runs over are removed.
 */
export function createTrace(options: TraceOptions): Trace {
  const { updates, stride, drift, far } = options;
  const random = createRandom(options.seed);
  const books = [new Map<number, number>(), new Map<number, number>()] as const;
  // The touch lies between the prices `at` and `at + 1`, counted in strides.
  const origin = Math.round(options.start / stride);
  let at = origin;
  const size = () => Math.floor(Math.exp(random() * 10)) || 1;
  for (let i = 0; i < REACH; i++) {
    for (const side of [0, 1] as const) {
      if (random() < FULLNESS) books[side].set(side === 0 ? at - i : at + 1 + i, size());
    }
  }
  const first = books.map((book, side) =>
    [...book]
      .sort(([a], [b]) => (side === 0 ? b - a : a - b))
      .flatMap(([price, lots]) => [price * stride, lots]),
  );
  const sides = new Uint8Array(updates);
  const ticks = new Float64Array(updates);
  const lots = new Float64Array(updates);
  const batchEnds: number[] = [];
  let count = 0;
  const put = (side: 0 | 1, price: number, value: number) => {
    if (count === updates) return;
    sides[count] = side;
    ticks[count] = price * stride;
    lots[count] = value;
    count += 1;
    if (value === 0) books[side].delete(price);
    else books[side].set(price, value);
  };
  while (count < updates) {
    const target = origin * (1 + (drift - 1) * (count / updates));
    const pull = Math.max(-MAX_STEP, Math.min(MAX_STEP, Math.round((target - at) / 200)));
    if (random() < 0.15 || pull !== 0) {
      const step = pull + (random() < 0.5 ? 1 : -1);
      const side = step > 0 ? 1 : 0;
      for (let i = 0; i < Math.abs(step); i++) {
        const price = side === 1 ? at + 1 : at;
        if (books[side].has(price)) put(side, price, 0);
        at += side === 1 ? 1 : -1;
      }
      // What has come into reach on one side, and left it on the other, as venues send books of a depth.
      for (let i = 0; i < Math.abs(step); i++) {
        for (const other of [0, 1] as const) {
          const edge = other === 0 ? at - REACH - i : at + REACH + 1 + i;
          const entering = other === 0 ? at - REACH + 1 + i : at + REACH - i;
          if (books[other].has(edge)) put(other, edge, 0);
          if (!books[other].has(entering) && random() < FULLNESS) put(other, entering, size());
        }
      }
    }
    const length = 1 + Math.floor(random() * (2 * MEAN_BATCH - 2));
    for (let i = 0; i < length; i++) {
      const side = random() < 0.5 ? 0 : 1;
      const place = random();
      const distance =
        place < 0.8 ? Math.floor(random() * NEAR) : NEAR + Math.floor(random() * (REACH - NEAR));
      const isFar = place > 1 - far;
      const price = isFar ? farPrice(side, origin, random()) : side === 0 ? at - distance : at + 1 + distance;
      put(side, price, books[side].has(price) && random() < REMOVED ? 0 : size());
    }
    batchEnds.push(count);
  }
  return { bids: first[0]!, asks: first[1]!, sides, ticks, lots, batchEnds: Uint32Array.from(batchEnds) };
}

/** One of a few prices that people who wait for a crash or a rally like. */
function farPrice(side: 0 | 1, origin: number, chance: number): number {
  const place = Math.floor(chance * FAR_PRICES) + 1;
  return side === 0
    ? Math.floor((origin * place) / (2 * FAR_PRICES))
    : Math.floor(origin * (2 + (98 * place) / FAR_PRICES));
}
