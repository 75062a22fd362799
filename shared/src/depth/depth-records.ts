import { bucketOf, DEPTH_PERIOD_MS, type DepthColumn, type TradedInPeriod } from './depth-column.ts';
import { DepthwireError } from '../model/errors.ts';
import type { Ticks } from '../model/units.ts';
import { codeOfLots, lotsOfCode } from './rounded-lots.ts';
import { show } from '../protocol/show.ts';

/** Low, high and last less the bid, or less 0 where there is none; lots bought and sold. */
export type WireTraded = [low: number, high: number, last: number, bought: number, sold: number];

/**
 * A column as it differs from the one before it, whole numbers throughout; docs/protocol.md has it in words.
 * - `periods` since the column before; more than 1: those between are holes
 * - `bid`, `ask`: ticks less those told last, the first less 0; null where there is none
 * - `bids`, `asks`: for each bucket that differs how many are passed over before it, and the difference of its code
 */
export type DepthRecord = [
  periods: number,
  bid: number | null,
  ask: number | null,
  bids: number[],
  asks: number[],
  traded?: WireTraded,
];

/** What columns of one page have in common. */
export interface DepthRun {
  /** Start of the period that the first record counts its periods from, unix milliseconds. */
  readonly time: number;
  readonly step: number;
  /** Most buckets of a side. */
  readonly buckets: number;
}

/** Columns of one step, oldest first, to records. */
export class DepthEncoder {
  #time: number;
  readonly #bids: CodedSide;
  readonly #asks: CodedSide;

  constructor({ time, step, buckets }: DepthRun) {
    this.#time = time;
    this.#bids = new CodedSide(-1, step, buckets);
    this.#asks = new CodedSide(1, step, buckets);
  }

  encode({ time, bid, ask, bids, asks, traded }: DepthColumn): DepthRecord {
    const periods = (time - this.#time) / DEPTH_PERIOD_MS;
    this.#time = time;
    const record: DepthRecord = [
      periods,
      this.#bids.move(bid),
      this.#asks.move(ask),
      this.#bids.differences(bids),
      this.#asks.differences(asks),
    ];
    if (traded !== null) {
      const { low, high, last, bought, sold } = traded;
      const from = bid ?? 0;
      record.push([low - from, high - from, last - from, bought, sold]);
    }
    return record;
  }
}

/** The inverse; sizes are within 0.1 % of what they were. */
export class DepthDecoder {
  readonly #step: number;
  #time: number;
  readonly #bids: CodedSide;
  readonly #asks: CodedSide;

  constructor({ time, step, buckets }: DepthRun) {
    this.#step = step;
    this.#time = time;
    this.#bids = new CodedSide(-1, step, buckets);
    this.#asks = new CodedSide(1, step, buckets);
  }

  /** @throws DepthwireError `malformed_frame` on what is no record of these columns */
  decode([periods, bid, ask, bids, asks, traded]: DepthRecord): DepthColumn {
    this.#time += whole(periods) * DEPTH_PERIOD_MS;
    const bestBid = this.#bids.moveBy(bid);
    return {
      time: this.#time,
      step: this.#step,
      bid: bestBid,
      ask: this.#asks.moveBy(ask),
      bids: this.#bids.changed(bids),
      asks: this.#asks.changed(asks),
      traded: traded === undefined ? null : tradedOf(traded, bestBid ?? 0),
    };
  }
}

/** What an answer to `depth-history` has of its columns. */
export interface DepthAnswer {
  readonly time: number | null;
  readonly step: number | null;
  readonly buckets: number;
  readonly columns: readonly DepthRecord[];
}

/**
 * The columns of an answer to `depth-history`, oldest first.
 * @throws DepthwireError `malformed_frame`
 */
export function decodeDepthColumns({ time, step, buckets, columns }: DepthAnswer): DepthColumn[] {
  if (columns.length === 0) return [];
  const decoder = new DepthDecoder({ time: whole(time), step: whole(step), buckets });
  return columns.map((record) => decoder.decode(record));
}

/** The codes of a side, from its best bucket on, as the last record left them. */
class CodedSide {
  readonly #direction: -1 | 1;
  readonly #step: number;
  readonly #codes: Uint16Array;
  #best = 0;
  /** Bucket of the first code. */
  #first = 0;

  constructor(direction: -1 | 1, step: number, buckets: number) {
    this.#direction = direction;
    this.#step = step;
    this.#codes = new Uint16Array(buckets);
  }

  /** @returns ticks from the best price so far */
  move(best: Ticks | null): number | null {
    if (best === null) {
      this.#codes.fill(0);
      return null;
    }
    const moved = best - this.#best;
    this.#best = best;
    this.#shift(bucketOf(best, this.#step));
    return moved;
  }

  moveBy(moved: number | null): Ticks | null {
    const best = moved === null ? null : ((this.#best + whole(moved)) as Ticks);
    this.move(best);
    return best;
  }

  differences(sizes: ArrayLike<number>): number[] {
    const codes = this.#codes;
    const found: number[] = [];
    let passed = 0;
    for (let i = 0; i < codes.length; i++) {
      const code = i < sizes.length ? codeOfLots(sizes[i]!) : 0;
      const difference = code - codes[i]!;
      if (difference === 0) {
        passed += 1;
        continue;
      }
      found.push(passed, difference);
      codes[i] = code;
      passed = 0;
    }
    return found;
  }

  changed(differences: readonly number[]): Float64Array {
    const codes = this.#codes;
    if (!Array.isArray(differences) || differences.length % 2 !== 0) throw malformed(differences);
    let at = -1;
    for (let i = 0; i < differences.length; i += 2) {
      at += whole(differences[i]) + 1;
      const code = (codes[at] ?? NaN) + whole(differences[i + 1]);
      if (!(code >= 0 && code < 2 ** 16) || differences[i]! < 0) throw malformed(differences);
      codes[at] = code;
    }
    let length = codes.length;
    while (length > 0 && codes[length - 1] === 0) length -= 1;
    const sizes = new Float64Array(length);
    for (let i = 0; i < length; i++) sizes[i] = lotsOfCode(codes[i]!);
    return sizes;
  }

  /** Buckets stay where they are in price; those that come into reach are empty. */
  #shift(first: number): void {
    const codes = this.#codes;
    const by = (first - this.#first) * this.#direction;
    this.#first = first;
    if (by === 0) return;
    if (Math.abs(by) >= codes.length) codes.fill(0);
    else if (by > 0) codes.copyWithin(0, by).fill(0, codes.length - by);
    else codes.copyWithin(-by, 0).fill(0, 0, -by);
  }
}

function tradedOf(traded: WireTraded, from: number): TradedInPeriod {
  const [low, high, last, bought, sold] = Array.from(traded, whole);
  return { low: low! + from, high: high! + from, last: last! + from, bought, sold } as TradedInPeriod;
}

function whole(value: unknown): number {
  if (!Number.isInteger(value)) throw malformed(value);
  return value as number;
}

function malformed(value: unknown): DepthwireError {
  return new DepthwireError(
    'malformed_frame',
    `depth columns: expected records of whole numbers, got ${show(value)}`,
  );
}
