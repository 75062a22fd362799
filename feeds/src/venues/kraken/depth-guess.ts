import { DepthwireError, type BookSide, type Instrument, type OrderBook } from '@depthwire/shared';
import { flattenLevels, type PriceLevel } from '../../core/levels.ts';
import { depthAfter, depthOf } from './sequencer.ts';

/**
 * The depth of a recorded book that no acknowledgement tells: the smallest that holds the snapshot, until an
 * update tells a level below it. The venue tells no level that is not among the best ones, `depth` in number:
 * one that has as many better ones, which the update leaves alone, shows that the book is a deeper one. What
 * was cut off until then is missing, and the book is right again with a snapshot alone.
 */
export class DepthGuess {
  #depth: number;
  #hasCut = false;

  constructor(bids: number, asks: number, known = 0) {
    this.#depth = Math.max(known, depthOf(bids, asks));
  }

  get depth(): number {
    return this.#depth;
  }

  /**
   * Takes an update into account.
   * @param book without it
   * @returns whether the book has lost levels by the guess before
   */
  take(
    { bids, asks }: OrderBook,
    update: { readonly bids: readonly PriceLevel[]; readonly asks: readonly PriceLevel[] },
    instrument: Instrument,
  ): boolean {
    const sides = [
      { side: bids, changes: changesOf(update.bids, instrument) },
      { side: asks, changes: changesOf(update.asks, instrument) },
    ];
    const isTooSmall = sides.some(({ side, changes }) => isDeeper(side, changes, this.#depth));
    if (isTooSmall) this.#depth = depthAfter(this.#depth);
    const isLost = isTooSmall && this.#hasCut;
    if (isLost) this.#hasCut = false;
    else if (sides.some(({ side, changes }) => countAfter(side, changes) > this.#depth)) this.#hasCut = true;
    return isLost;
  }
}

/** Sizes by price, the last word on each; none where the numbers are not the grid's, which the book finds out. */
function changesOf(levels: readonly PriceLevel[], { tick, lot }: Instrument): ReadonlyMap<number, number> {
  const changes = new Map<number, number>();
  try {
    const flat = flattenLevels(levels, tick, lot);
    for (let i = 0; i < flat.length; i += 2) changes.set(flat[i]!, flat[i + 1]!);
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
  }
  return changes;
}

/** Whether a level is set that was at no time of the update among the best ones. */
function isDeeper(side: BookSide, changes: ReadonlyMap<number, number>, depth: number): boolean {
  if (side.count < depth) return false;
  const touched = [...changes.keys()].filter((ticks) => side.lotsAtPrice(ticks) > 0);
  return [...changes].some(([ticks, lots]) => {
    const rank = side.rankOf(ticks);
    const isBetter = (other: number) => side.rankOf(other) < rank;
    return lots > 0 && rank - touched.filter(isBetter).length >= depth;
  });
}

function countAfter(side: BookSide, changes: ReadonlyMap<number, number>): number {
  let { count } = side;
  for (const [ticks, lots] of changes) count += Number(lots > 0) - Number(side.lotsAtPrice(ticks) > 0);
  return count;
}
