import { bucketOf } from '@depthwire/shared/depth';
import type { DepthColumns } from './depth-columns.ts';
import { codeOf, SHADES, type HeatScale } from './heat-scale.ts';

/** What a row and a column of the picture stand for. */
export interface Grid {
  /** Ticks of a row. */
  readonly rowTicks: number;
  /** The lowest row: the prices from `firstRow × rowTicks` on. */
  readonly firstRow: number;
  readonly rows: number;
  /** Periods of a column. */
  readonly perTexel: number;
}

/** The rows of a column of the picture, lowest first: sizes, and between which rows something is known. */
export class Texel {
  readonly lots: Float32Array;
  readonly codes: Int32Array;
  /** Rows, `to` exclusive; the same where nothing is known. */
  from = 0;
  to = 0;

  constructor(rows: number) {
    this.lots = new Float32Array(rows);
    this.codes = new Int32Array(this.lots.buffer);
  }

  /**
   * The mean of the columns that there are of these periods; holes are drawn apart from it.
   * @param first number of the first period
   */
  read(columns: DepthColumns, first: number, grid: Grid): void {
    const { rows, perTexel } = grid;
    const { lots } = this;
    lots.fill(0);
    this.from = rows;
    this.to = 0;
    let count = 0;
    for (let period = first; period < first + perTexel; period++) {
      const slot = columns.slotOf(period);
      if (slot < 0) continue;
      count += 1;
      this.#add(columns, slot, grid);
    }
    if (this.from >= this.to) this.from = this.to = 0;
    if (count > 1) for (let row = this.from; row < this.to; row++) lots[row]! /= count;
  }

  #add(columns: DepthColumns, slot: number, grid: Grid): void {
    const reach = columns.reachOf(slot);
    if (!reach) return;
    const step = columns.steps[slot]!;
    const { rowTicks, firstRow, rows } = grid;
    const rowOf = (ticks: number) => Math.floor(ticks / rowTicks) - firstRow;
    this.from = Math.max(0, Math.min(this.from, rowOf(reach.first * step)));
    this.to = Math.min(rows, Math.max(this.to, rowOf((reach.last + 1) * step - 1) + 1));
    const sides = [
      [columns.bidsAt(slot), columns.bidCounts[slot]!, bucketOf(columns.bids[slot]!, step), -1],
      [columns.asksAt(slot), columns.askCounts[slot]!, bucketOf(columns.asks[slot]!, step), 1],
    ] as const;
    for (const [at, count, best, direction] of sides) {
      for (let i = 0; i < count; i++) {
        const size = columns.lots[at + i]!;
        if (size === 0) continue;
        const lowest = (best + direction * i) * step;
        const row = rowOf(lowest);
        if (step <= rowTicks) {
          if (row >= 0 && row < rows) this.lots[row]! += size;
        } else this.#spread(size, row, rowOf(lowest + step - 1));
      }
    }
  }

  /** A bucket that is higher than a row: it is not known where in it the size rests. */
  #spread(size: number, from: number, to: number): void {
    const share = size / (to - from + 1);
    for (let row = Math.max(0, from); row <= Math.min(to, this.lots.length - 1); row++)
      this.lots[row]! += share;
  }

  /**
   * Paints the column; what is not known stays transparent.
   * @param pixels of a picture, `width` wide, whose top row has the highest price
   */
  paint(pixels: Uint32Array, width: number, x: number, scale: HeatScale, ramp: Uint32Array): void {
    const { codes, from, to } = this;
    const low = codeOf(scale.low);
    const per = (SHADES - 2) / Math.max(1, codeOf(scale.high) - low);
    const rows = codes.length;
    let at = (rows - 1) * width + x;
    for (let row = 0; row < rows; row++, at -= width) {
      if (row < from || row >= to) {
        pixels[at] = 0;
        continue;
      }
      const code = codes[row]!;
      const place = (code - low) * per;
      pixels[at] =
        ramp[code === 0 ? 0 : 1 + (place <= 0 ? 0 : place >= SHADES - 2 ? SHADES - 2 : place | 0)]!;
    }
  }
}
