import { scaleOf, type Instrument, type OrderBook, type Scale, type Trade } from '@depthwire/shared';

/** A percentage or basis points with at most two decimals, in hundredths. */
export function hundredths(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(2, '0'));
}

/** The scale of prices between two ticks. */
export function halfTick({ units, decimals }: Scale): Scale {
  return units % 2 === 0 ? { units: units / 2, decimals } : { units: units * 5, decimals: decimals + 1 };
}

/** Whether the spread is above so many hundredths of a basis point of the mid. */
export function isSpreadAbove(bid: number, ask: number, limit: bigint): boolean {
  const twiceMid = BigInt(bid) + BigInt(ask);
  return twiceMid > 0n && (BigInt(ask) - BigInt(bid)) * 2_000_000n > limit * twiceMid;
}

/** Whether a price has gone at least so many hundredths of a percent from another, either way. */
export function hasMoved(from: number, to: number, limit: bigint): boolean {
  return from > 0 && BigInt(Math.abs(to - from)) * 10_000n >= limit * BigInt(from);
}

/** A threshold of size in the quote currency, against which trades are held. */
export class ValueLimit {
  readonly #limit: bigint;
  readonly #factor: bigint;

  constructor(text: string, { tick, lot }: Pick<Instrument, 'tick' | 'lot'>) {
    const { units, decimals } = scaleOf(text);
    const ours = tick.decimals + lot.decimals;
    this.#limit = BigInt(units) * 10n ** BigInt(Math.max(0, ours - decimals));
    this.#factor = BigInt(tick.units) * BigInt(lot.units) * 10n ** BigInt(Math.max(0, decimals - ours));
  }

  isReached({ price, size }: Pick<Trade, 'price' | 'size'>): boolean {
    const value = BigInt(price) * BigInt(size) * this.#factor;
    return (value < 0n ? -value : value) >= this.#limit;
  }
}

/** What rests near the touch, lots. */
export interface Resting {
  readonly bids: bigint;
  readonly asks: bigint;
  /** Whether the book held reaches as far as was asked for, on both sides. */
  readonly isWhole: boolean;
}

/**
 * @param held levels a side that the book has at most; 0 for all
 * @returns null where a side is empty
 */
export function restingWithin(
  book: OrderBook,
  unit: 'levels' | 'bps',
  reach: number,
  held: number,
): Resting | null {
  const { bids, asks } = book;
  if (bids.count === 0 || asks.count === 0) return null;
  if (unit === 'levels') {
    const sum = (side: typeof bids) => sumWhile(side, (rank) => rank < reach);
    return { bids: sum(bids), asks: sum(asks), isWhole: held === 0 || held >= reach };
  }
  const twiceMid = BigInt(bids.ticksAt(0)) + BigInt(asks.ticksAt(0));
  // Prices below or above which a level is too far: in twenty-thousandths, as the mid may be half a tick.
  const lowest = twiceMid * (10_000n - BigInt(reach));
  const highest = twiceMid * (10_000n + BigInt(reach));
  const isNear = (ticks: number) => {
    const scaled = BigInt(ticks) * 20_000n;
    return scaled >= lowest && scaled <= highest;
  };
  const sum = (side: typeof bids) => sumWhile(side, (rank) => isNear(side.ticksAt(rank)));
  const ends = (side: typeof bids) =>
    held === 0 || side.count < held || !isNear(side.ticksAt(side.count - 1));
  return { bids: sum(bids), asks: sum(asks), isWhole: ends(bids) && ends(asks) };
}

function sumWhile(side: OrderBook['bids'], isWithin: (rank: number) => boolean): bigint {
  let sum = 0n;
  for (let rank = 0; rank < side.count && isWithin(rank); rank++) sum += BigInt(side.lotsAt(rank));
  return sum;
}
