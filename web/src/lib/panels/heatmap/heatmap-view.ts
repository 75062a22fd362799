import type { Instrument, OrderBook } from '@depthwire/shared';
import { DEPTH_PERIOD_MS } from '@depthwire/shared/depth';
import { textSizeIn } from '../../chart/canvas-text.ts';
import { readColours, type Colours } from '../../chart/colours.ts';
import { formatPrice } from '../../format/price.ts';
import { steadyScale } from '../../format/steady.ts';
import { formatTime, type TimeZone } from '../../format/time.ts';
import { m } from '../../paraglide/messages.js';
import type { DepthColumns } from './depth-columns.ts';
import { drawAxes, drawProfile, layoutOf, rowsOf, type Layout } from './draw-axes.ts';
import { hatchOf } from '../../chart/hatch.ts';
import { drawHeatmap, drawSince, shownBubbles, shownPeriods } from './draw-heatmap.ts';
import { heatScale, rampOf, type Rgb } from './heat-scale.ts';
import { HeatTiles } from './heat-tiles.ts';
import { touchRange } from './marks.ts';
import {
  autoRange,
  clampTime,
  panPrice,
  panTime,
  zoomPrice,
  zoomTime,
  type Extent,
  type PriceView,
  type TimeView,
  xOf,
} from './view.ts';

const FIRST_SCALE = 4;
/** The colours are looked at again after so long at the earliest: they should keep still. */
const SCALE_EVERY_MS = 400;

/** What of the panel decides how it is drawn. */
export interface HeatmapChoices {
  readonly from: number;
  readonly to: number;
  readonly bubbles: boolean;
  readonly zone: TimeZone;
}

/** A heatmap on a canvas: which part of the columns it shows, and how. */
export class HeatmapView {
  readonly context: CanvasRenderingContext2D;
  readonly columns: DepthColumns;
  readonly tiles: HeatTiles;
  instrument: Instrument;
  layout: Layout = { plot: 1, profile: 0, height: 1, width: 1, textSize: 11 };
  time: TimeView = { end: 0, scale: FIRST_SCALE };
  price: PriceView | null = null;
  isFollowing = true;
  isAuto = true;
  rowTicks = 1;
  /** Whether the server may have more before the oldest column. */
  mayHaveOlder = true;
  /** The period in which the recording begins; null where that is not known. */
  since: number | null = null;
  #colours: Colours;
  #textSize: number;
  #hatch: CanvasPattern;
  #size = { width: 1, height: 1 };
  #pixelRatio = 1;
  #scaledAtMs = -Infinity;
  #scaledFor = '';
  #mostTraded: number | null = null;
  #mostResting: number | null = null;

  constructor(context: CanvasRenderingContext2D, columns: DepthColumns, instrument: Instrument) {
    this.context = context;
    this.columns = columns;
    this.instrument = instrument;
    this.#colours = readColours(context.canvas.parentElement!);
    this.#textSize = textSizeIn(context.canvas);
    this.tiles = new HeatTiles(columns, rampIn(this.#colours));
    this.#hatch = hatchOf(context, this.#colours, this.#pixelRatio);
  }

  /** @param size CSS pixels */
  resize(size: { width: number; height: number }, pixelRatio: number): void {
    const { canvas } = this.context;
    canvas.width = Math.round(size.width * pixelRatio);
    canvas.height = Math.round(size.height * pixelRatio);
    this.#size = size;
    this.#pixelRatio = pixelRatio;
    this.#hatch = hatchOf(this.context, this.#colours, pixelRatio);
  }

  recolour(): void {
    this.#colours = readColours(this.context.canvas.parentElement!);
    this.#textSize = textSizeIn(this.context.canvas);
    this.tiles.ramp = rampIn(this.#colours);
    this.#hatch = hatchOf(this.context, this.#colours, this.#pixelRatio);
  }

  /** Begins with another instrument, or another past of it. */
  reset(): void {
    this.price = null;
    this.isFollowing = this.isAuto = true;
    this.#scaledAtMs = -Infinity;
    this.tiles.setScale(null);
    this.#mostTraded = this.#mostResting = null;
  }

  get extent(): Extent {
    const { newest, oldest } = this.columns;
    if (newest === null) return { from: 0, to: 0 };
    return { from: this.mayHaveOlder ? newest - 3_599 : oldest!, to: newest + 1 };
  }

  /** The periods that are shown, `to` exclusive. */
  get shown(): { from: number; to: number } {
    return shownPeriods(this.time, this.layout.plot);
  }

  /** What is followed may have grown since it was drawn: moved from there, it would be followed no more. */
  get #timeNow(): TimeView {
    return this.isFollowing ? { ...this.time, end: this.extent.to } : this.time;
  }

  moveTo(time: TimeView): void {
    this.time = time;
    this.isFollowing = time.end >= this.extent.to;
  }

  pan(dx: number): void {
    this.moveTo(panTime(this.#timeNow, dx, this.layout.plot, this.extent));
  }

  /** @param x what is there stays; the newest stays at the edge while it is followed */
  zoom(factor: number, x: number): void {
    const { plot } = this.layout;
    this.moveTo(zoomTime(this.#timeNow, factor, this.isFollowing ? plot : x, plot, this.extent));
  }

  panPrice(dy: number): void {
    if (!this.price) return;
    this.isAuto = false;
    this.price = panPrice(this.price, dy, this.layout.height);
  }

  zoomPrice(factor: number, y: number): void {
    if (!this.price) return;
    this.isAuto = false;
    this.price = zoomPrice(this.price, factor, y, this.layout.height);
  }

  draw(choices: HeatmapChoices, book: OrderBook | null, nowMs: number): void {
    const { context, columns, tiles, instrument } = this;
    const { newest } = columns;
    context.setTransform(this.#pixelRatio, 0, 0, this.#pixelRatio, 0, 0);
    if (newest === null) {
      context.clearRect(0, 0, this.#size.width, this.#size.height);
      return;
    }
    const slot = columns.slotOf(newest);
    const step = columns.steps[slot]!;
    const widest = Math.max(columns.asks[slot] || 0, columns.bids[slot] || 0);
    const digits = formatPrice(Math.round(widest), instrument.tick);
    this.layout = layoutOf(context, this.#size, digits, this.#textSize);
    const { plot, height } = this.layout;
    const end = this.isFollowing ? newest + 1 : this.time.end;
    this.time = clampTime({ ...this.time, end }, plot, this.extent);
    const shown = this.shown;
    const touch = this.isAuto || !this.price ? touchRange(columns, shown.from, shown.to) : null;
    if (touch) this.price = autoRange(this.price, touch.low, touch.high, step);
    if (!this.price) return;
    const size = { width: plot, height, pixelRatio: this.#pixelRatio };
    this.rowTicks = tiles.fit(this.time, this.price, step, size).rowTicks;
    this.#rescale(choices, nowMs);
    const bubbles = choices.bubbles ? shownBubbles(columns, this.time, plot) : [];
    const most = Math.max(1, ...bubbles.map(({ bought, sold }) => bought + sold));
    this.#mostTraded = steadyScale(this.#mostTraded, most);
    const picture = {
      ...{ columns, tiles, time: this.time, price: this.price, plot: size, bubbles },
      mostTraded: this.#mostTraded,
    };
    drawHeatmap(context, picture, this.#colours, this.#hatch);
    if (this.since !== null) {
      const text = m.heat_since({ time: formatTime(this.since * DEPTH_PERIOD_MS, choices.zone) });
      const mark = { x: xOf(this.since, this.time, plot), text, plot: size, textSize: this.#textSize };
      drawSince(context, mark, this.#colours);
    }
    this.drawNow(choices, book);
  }

  /** What changes with the book, between two columns: the profile, and the last price. */
  drawNow(choices: HeatmapChoices, book: OrderBook | null): void {
    const { context, columns, layout, price, rowTicks } = this;
    if (!price || columns.newest === null) return;
    context.setTransform(this.#pixelRatio, 0, 0, this.#pixelRatio, 0, 0);
    if (book && layout.profile > 0) {
      const rows = [book.bids, book.asks].flatMap((side) => [...rowsOf(side, rowTicks, price).values()]);
      this.#mostResting = steadyScale(this.#mostResting, Math.max(1, ...rows));
    }
    const profile = { price, layout, rowTicks, most: this.#mostResting ?? 1 };
    drawProfile(context, book, profile, this.#colours);
    const { time, instrument } = this;
    const last = columns.lastTraded;
    drawAxes(
      context,
      { time, price, layout, tick: instrument.tick, zone: choices.zone, last },
      this.#colours,
    );
  }

  #rescale({ from, to }: HeatmapChoices, nowMs: number): void {
    const { tiles } = this;
    const wanted = `${from}-${to} ${tiles.grid?.rowTicks} ${tiles.grid?.perTexel}`;
    const isOther = wanted !== this.#scaledFor;
    if (!isOther && nowMs - this.#scaledAtMs < SCALE_EVERY_MS) return;
    this.#scaledAtMs = nowMs;
    this.#scaledFor = wanted;
    const { from: first, to: end } = this.shown;
    const sizes = tiles.sample(first, end, this.price!);
    tiles.setScale(heatScale(isOther ? null : tiles.scale, sizes, { from, to }));
  }
}

function rampIn(colours: Colours): Uint32Array {
  const stops = ['heat-none', 'heat-1', 'heat-2', 'heat-3', 'heat-4'] as const;
  return rampOf(stops.map((name) => colours[name].match(/\d+/g)!.slice(0, 3).map(Number) as unknown as Rgb));
}
