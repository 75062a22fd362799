import type { DepthColumns } from './depth-columns.ts';
import { SizeHistogram, type HeatScale } from './heat-scale.ts';
import { Texel, type Grid } from './raster.ts';
import { periodsPerTexel, rowTicksFor, type PriceView, type TimeView } from './view.ts';

// Memory: at most 24 tiles of 256 columns; 1 MB each where the plot is up to 680 pixels high.

/** Columns of a tile. */
export const TILE_TEXELS = 256;
const MAX_TILES = 24;
/** Most columns that are looked at for the colour scale. */
const MAX_SAMPLED = 96;
/** Rows beyond those that can be seen, so that a moved price needs no new picture. */
const ROOM = 1.5;

interface Tile {
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D;
  /** Columns that are to be painted anew, `to` exclusive. */
  from: number;
  to: number;
}

/** Where the plot is and how large, CSS pixels. */
export interface PlotSize {
  readonly width: number;
  readonly height: number;
  readonly pixelRatio: number;
}

/** Which tile a period is in, and which column of it. */
export function placeOf(period: number, perTexel: number): { tile: number; texel: number } {
  const texel = Math.floor(period / perTexel);
  const tile = Math.floor(texel / TILE_TEXELS);
  return { tile, texel: texel - tile * TILE_TEXELS };
}

/** The rows that a picture of this range has, with room around them; the same ones while they still hold the range. */
export function gridFor(current: Grid | null, price: PriceView, rowTicks: number, perTexel: number): Grid {
  const low = Math.floor((price.centre - price.span / 2) / rowTicks);
  const high = Math.ceil((price.centre + price.span / 2) / rowTicks);
  const rows = 2 ** Math.ceil(Math.log2(Math.max(64, (high - low) * ROOM)));
  if (
    current?.rowTicks === rowTicks &&
    current.perTexel === perTexel &&
    current.rows === rows &&
    low >= current.firstRow &&
    high <= current.firstRow + rows
  )
    return current;
  return { rowTicks, perTexel, rows, firstRow: Math.floor((low + high - rows) / 2) };
}

/** The columns as a picture, painted once into tiles; a frame draws a few of these. */
export class HeatTiles {
  grid: Grid | null = null;
  scale: HeatScale | null = null;
  /** Tiles painted since it began, for measurements. */
  painted = 0;
  readonly #columns: DepthColumns;
  readonly #tiles = new Map<number, Tile>();
  #ramp: Uint32Array;
  #image: ImageData | null = null;
  #pixels = new Uint32Array(0);
  #texel = new Texel(0);
  readonly #sizes = new SizeHistogram();

  constructor(columns: DepthColumns, ramp: Uint32Array) {
    this.#columns = columns;
    this.#ramp = ramp;
  }

  set ramp(ramp: Uint32Array) {
    this.#ramp = ramp;
    this.#repaint();
  }

  setScale(scale: HeatScale | null): void {
    if (scale === this.scale) return;
    this.scale = scale;
    this.#repaint();
  }

  /** @param to exclusive */
  changed(from: number, to: number): void {
    if (!this.grid) return;
    const first = placeOf(from, this.grid.perTexel);
    const last = placeOf(to - 1, this.grid.perTexel);
    for (const [index, tile] of this.#tiles) {
      if (index < first.tile || index > last.tile) continue;
      tile.from = Math.min(tile.from, index === first.tile ? first.texel : 0);
      tile.to = Math.max(tile.to, index === last.tile ? last.texel + 1 : TILE_TEXELS);
    }
  }

  /** Decides what rows and columns of the picture stand for. @param step ticks of a bucket */
  fit(time: TimeView, price: PriceView, step: number, { height, pixelRatio }: PlotSize): Grid {
    const rowTicks = rowTicksFor(step, price, height);
    const grid = gridFor(this.grid, price, rowTicks, periodsPerTexel(time.scale, pixelRatio));
    if (grid === this.grid) return grid;
    if (grid.perTexel !== this.grid?.perTexel || grid.rows !== this.grid.rows) this.#tiles.clear();
    if (grid.rows !== this.grid?.rows) {
      this.#image = new ImageData(TILE_TEXELS, grid.rows);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      this.#texel = new Texel(grid.rows);
    }
    this.grid = grid;
    this.#repaint();
    return grid;
  }

  /** Sizes of the rows that are shown, in some of the columns that are. */
  sample(from: number, to: number, price: PriceView): SizeHistogram {
    const sizes = this.#sizes;
    sizes.clear();
    const { grid } = this;
    if (!grid) return sizes;
    const { perTexel, rowTicks, firstRow, rows } = grid;
    const low = Math.max(0, Math.floor((price.centre - price.span / 2) / rowTicks) - firstRow);
    const high = Math.min(rows, Math.ceil((price.centre + price.span / 2) / rowTicks) - firstRow);
    const every = Math.max(1, Math.ceil((to - from) / perTexel / MAX_SAMPLED)) * perTexel;
    for (let period = Math.floor(from / every) * every; period < to; period += every) {
      this.#texel.read(this.#columns, period, grid);
      const { lots } = this.#texel;
      for (let row = Math.max(low, this.#texel.from); row < Math.min(high, this.#texel.to); row++)
        if (lots[row]! > 0) sizes.add(lots[row]!);
    }
    return sizes;
  }

  draw(
    context: CanvasRenderingContext2D,
    { end, scale }: TimeView,
    { centre, span }: PriceView,
    { width, height, pixelRatio }: PlotSize,
  ): void {
    const { grid, scale: sizes } = this;
    if (!grid || !sizes) return;
    const { perTexel, rowTicks, firstRow, rows } = grid;
    const perTile = TILE_TEXELS * perTexel;
    const pixelsOfTick = height / span;
    const bottom = height / 2 - (firstRow * rowTicks - centre) * pixelsOfTick;
    const tall = rows * rowTicks * pixelsOfTick;
    // At whole pixels of the screen, so that no seam shows between two.
    const x = (index: number) =>
      Math.round((width - (end - index * perTile) * scale) * pixelRatio) / pixelRatio;
    context.imageSmoothingEnabled = false;
    const first = Math.floor((end - width / scale) / perTile);
    for (let index = first; index * perTile < end; index++) {
      const tile = this.#tile(index);
      if (tile.from < tile.to) this.#paint(index, tile, grid, sizes);
      context.drawImage(tile.canvas, x(index), bottom - tall, x(index + 1) - x(index), tall);
    }
  }

  #tile(index: number): Tile {
    const { rows } = this.grid!;
    let tile = this.#tiles.get(index);
    if (tile) this.#tiles.delete(index);
    else {
      if (this.#tiles.size >= MAX_TILES) this.#tiles.delete(this.#tiles.keys().next().value!);
      const canvas = new OffscreenCanvas(TILE_TEXELS, rows);
      tile = { canvas, context: canvas.getContext('2d')!, from: 0, to: TILE_TEXELS };
    }
    // The one drawn longest ago is first.
    this.#tiles.set(index, tile);
    return tile;
  }

  #paint(index: number, tile: Tile, grid: Grid, scale: HeatScale): void {
    const { from, to } = tile;
    const first = index * TILE_TEXELS * grid.perTexel;
    for (let texel = from; texel < to; texel++) {
      this.#texel.read(this.#columns, first + texel * grid.perTexel, grid);
      this.#texel.paint(this.#pixels, TILE_TEXELS, texel, scale, this.#ramp);
    }
    tile.context.putImageData(this.#image!, 0, 0, from, 0, to - from, grid.rows);
    tile.from = TILE_TEXELS;
    tile.to = 0;
    this.painted += 1;
  }

  #repaint(): void {
    for (const tile of this.#tiles.values()) {
      tile.from = 0;
      tile.to = TILE_TEXELS;
    }
  }
}
