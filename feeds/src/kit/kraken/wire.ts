import { crc32 } from 'node:zlib';
import type { EmulatedBook, Levels } from '../emulated-book.ts';
import type { TextBook, TextLevel } from '../truth-book.ts';

/** "The checksum is only calculated for the top 10 price levels." */
const CHECKSUM_LEVELS = 10;
const MARK = '\u0001';

/** Digits behind the point that the venue writes for a pair. */
export interface Digits {
  readonly price: number;
  readonly qty: number;
}

export function digitsOf({ tick, spec }: EmulatedBook): Digits {
  return { price: decimalsOf(tick), qty: decimalsOf(spec.lot) };
}

function decimalsOf(text: string): number {
  return text.split('.')[1]?.length ?? 0;
}

/** A number that JSON gets with exactly these digits, as `stringify` writes it. */
export const number = (text: string, decimals = 0) => `${MARK}${pad(text, decimals)}`;

/** JSON in which what `number` made stands without quotation marks. */
export function stringify(frame: object): string {
  return JSON.stringify(frame).replace(/"\\u0001([^"]*)"/g, '$1');
}

/** `{"price":0.5666,"qty":4831.75496356}` for each level. */
export function wireLevels(levels: readonly TextLevel[], { price, qty }: Digits): object[] {
  return levels.map((level) => ({ price: number(level[0], price), qty: number(level[1], qty) }));
}

/**
 * The ten best asks, then the ten best bids: price and quantity without point and leading zeros.
 * @see https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
 */
export function checksumOf({ bids, asks }: TextBook, { price, qty }: Digits): number {
  const bare = (text: string, decimals: number) => pad(text, decimals).replace('.', '').replace(/^0+/, '');
  const side = (levels: readonly TextLevel[]) =>
    levels
      .slice(0, CHECKSUM_LEVELS)
      .map((level) => bare(level[0], price) + bare(level[1], qty))
      .join('');
  return crc32(side(asks) + side(bids));
}

/** What a subscriber of so many levels is told of a change of the whole book. */
export function withinDepth(levels: Levels, before: TextBook, now: TextBook, depth: number): Levels {
  return {
    bids: sideWithin(levels.bids, before.bids, now.bids, depth),
    asks: sideWithin(levels.asks, before.asks, now.asks, depth),
  };
}

/** Changes within the depth, and levels that move up into it; not those that are pushed out. */
function sideWithin(
  changed: readonly TextLevel[],
  before: readonly TextLevel[],
  now: readonly TextLevel[],
  depth: number,
): TextLevel[] {
  const prices = (levels: readonly TextLevel[]) => new Set(levels.map(([price]) => price));
  const [was, is] = [prices(before.slice(0, depth)), prices(now.slice(0, depth))];
  const [all, told] = [prices(now), prices(changed)];
  return [
    ...changed.filter(([price]) => is.has(price) || (was.has(price) && !all.has(price))),
    ...now.slice(0, depth).filter(([price]) => !was.has(price) && !told.has(price)),
  ];
}

function pad(text: string, decimals: number): string {
  const missing = decimals - decimalsOf(text);
  if (missing <= 0) return text;
  return `${text}${text.includes('.') ? '' : '.'}${'0'.repeat(missing)}`;
}
