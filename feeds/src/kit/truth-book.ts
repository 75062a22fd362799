import { formatUnitsShortest, parseUnits, type Scale } from '@depthwire/shared';

/** Prices and sizes are held as whole numbers of this unit, finer than any venue's tick or lot. */
const UNIT: Scale = { units: 1, decimals: 8 };

export type Side = 'bid' | 'ask';

/** One level as decimal text, the way a venue writes it. */
export type TextLevel = [price: string, quantity: string];

/** A whole book as decimal text, best levels first. */
export interface TextBook {
  readonly bids: TextLevel[];
  readonly asks: TextLevel[];
}

/**
 * The book that a venue really has, against which a copy of it is held. Deliberately another
 * model than `OrderBook`: a plain map a side, sorted when read.
 */
export class TruthBook {
  readonly #sides: Record<Side, Map<number, number>> = { bid: new Map(), ask: new Map() };
  /** Levels as text, for as long as they stand: a book is read as text after each of its changes. */
  readonly #texts: Record<Side, Map<number, TextLevel>> = { bid: new Map(), ask: new Map() };

  /** Puts a quantity at a price, both in units of 10^-8; zero removes. */
  set(side: Side, price: number, quantity: number): void {
    this.#texts[side].delete(price);
    if (quantity === 0) this.#sides[side].delete(price);
    else this.#sides[side].set(price, quantity);
  }

  /** Quantity at a price, zero where there is none. */
  at(side: Side, price: number): number {
    return this.#sides[side].get(price) ?? 0;
  }

  count(side: Side): number {
    return this.#sides[side].size;
  }

  /** Prices of a side, best first. */
  prices(side: Side): number[] {
    return [...this.#sides[side].keys()].sort(side === 'bid' ? (a, b) => b - a : (a, b) => a - b);
  }

  /** The best price of a side; null where it is empty. */
  best(side: Side): number | null {
    return this.prices(side)[0] ?? null;
  }

  levels(side: Side): [price: number, quantity: number][] {
    return this.prices(side).map((price) => [price, this.at(side, price)]);
  }

  /** The book as text without trailing zeros; its levels are those of other calls too, and not to be changed. */
  toText(): TextBook {
    const side = (name: Side) => this.levels(name).map((level) => this.#textOf(name, level));
    return { bids: side('bid'), asks: side('ask') };
  }

  #textOf(side: Side, [price, quantity]: [price: number, quantity: number]): TextLevel {
    const texts = this.#texts[side];
    let text = texts.get(price);
    if (!text) texts.set(price, (text = [unitsText(price), unitsText(quantity)]));
    return text;
  }
}

/**
 * Decimal text as units of 10^-8.
 * @throws DepthwireError `off_grid`, `invalid_decimal` or `out_of_range`
 */
export function textUnits(text: string): number {
  return parseUnits(text, UNIT);
}

/** Units of 10^-8 as decimal text with at least so many digits behind the point. */
export function unitsText(units: number, decimals = 0): string {
  const text = formatUnitsShortest(units, UNIT);
  const [whole = '', fraction = ''] = text.split('.');
  return decimals > fraction.length ? `${whole}.${fraction.padEnd(decimals, '0')}` : text;
}

/**
 * The canonical text of a book, one line a level: `b PRICE QTY`, bids from high to low, then
 * `a PRICE QTY`, asks from low to high; the form that published hashes of books are taken of.
 */
export function canonicalBook({ bids, asks }: TextBook): string {
  const lines = (mark: string, levels: readonly TextLevel[]) =>
    levels.map(([price, quantity]) => `${mark} ${price} ${quantity}\n`).join('');
  return lines('b', bids) + lines('a', asks);
}
