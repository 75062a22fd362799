import { fontOf } from '../../chart/canvas-text.ts';
import { withAlpha, type Colours } from '../../chart/colours.ts';
import type { DepthColumns } from './depth-columns.ts';
import { holesBetween } from './depth-columns.ts';
import type { HeatTiles, PlotSize } from './heat-tiles.ts';
import { bubblesOf, pathOf, radiusOf, type Bubble, type PathPoint } from './marks.ts';
import { xOf, yOf, type PriceView, type TimeView } from './view.ts';

/** Pixels between two bubbles at the least, and the radius of the largest. */
const BUBBLE_GAP = 14;
const LARGEST_BUBBLE = 13;
const SMALLEST_BUBBLE = 1.5;
/** Pixels around the label of where the recording begins; its height, and its place above the foot of the plot. */
const SINCE = { padding: 6, gap: 5, height: 18, bottom: 36 };

export interface HeatmapPicture {
  readonly columns: DepthColumns;
  readonly tiles: HeatTiles;
  readonly time: TimeView;
  readonly price: PriceView;
  readonly plot: PlotSize;
  readonly bubbles: readonly Bubble[];
  /** Volume of the largest bubble, lots. */
  readonly mostTraded: number;
}

/** Periods that can be seen, whole ones, `to` exclusive. */
export function shownPeriods({ end, scale }: TimeView, width: number): { from: number; to: number } {
  return { from: Math.floor(end - width / scale), to: Math.ceil(end) };
}

export function shownBubbles(columns: DepthColumns, time: TimeView, width: number): Bubble[] {
  const { from, to } = shownPeriods(time, width);
  return bubblesOf(columns, from, to, Math.max(1, Math.ceil(BUBBLE_GAP / time.scale)));
}

/** The plot without its axes. */
export function drawHeatmap(
  context: CanvasRenderingContext2D,
  picture: HeatmapPicture,
  colours: Colours,
  hatch: CanvasPattern,
): void {
  const { columns, tiles, time, price, plot } = picture;
  const { width, height } = plot;
  const { from, to } = shownPeriods(time, width);
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  context.fillStyle = hatch;
  context.fillRect(0, 0, width, height);
  tiles.draw(context, time, price, plot);
  if (columns.newest !== null) {
    // Also those that are narrower than a column of the picture.
    for (const hole of holesBetween(columns, Math.max(from, columns.oldest!), Math.min(to, columns.newest))) {
      const x = xOf(hole.from, time, width);
      context.fillRect(x, 0, Math.max(1, (hole.to - hole.from) * time.scale), height);
    }
  }
  const points = pathOf(columns, from - 1, to + 1, Math.max(1, Math.ceil(1 / time.scale)));
  drawTouch(context, points, picture, colours);
  drawTraded(context, points, picture, colours);
  for (const bubble of picture.bubbles) drawBubble(context, bubble, picture, colours);
  context.restore();
}

/**
 * Where the label of a line at `x` begins: before the line, where it does not cover the picture; behind it where there
 * is no room, and over it in a plot that is too narrow for either. Null where the line is out of sight.
 */
export function sincePlace(x: number, label: number, plot: number): number | null {
  if (x < 0 || x > plot) return null;
  const before = x - SINCE.gap - label;
  return before >= 0 ? before : Math.max(0, Math.min(x + SINCE.gap, plot - label));
}

/** A quiet line where the recording begins, and since when that is: before it nothing was seen, which is no hole. */
export function drawSince(
  context: CanvasRenderingContext2D,
  { x, text, plot, textSize }: { x: number; text: string; plot: PlotSize; textSize: number },
  colours: Colours,
): void {
  context.font = fontOf(textSize);
  const label = context.measureText(text).width + 2 * SINCE.padding;
  const left = sincePlace(x, label, plot.width);
  if (left === null) return;
  context.save();
  context.beginPath();
  context.rect(0, 0, plot.width, plot.height);
  context.clip();
  context.strokeStyle = colours['text-3'];
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, 0);
  context.lineTo(Math.round(x) + 0.5, plot.height);
  context.stroke();
  const top = Math.max(0, plot.height - SINCE.bottom - SINCE.height);
  context.fillStyle = withAlpha(colours.ground, 0.84);
  context.fillRect(left, top, label, SINCE.height);
  context.fillStyle = colours['text-2'];
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, left + SINCE.padding, top + SINCE.height / 2 + 1);
  context.restore();
}

/** Steps of the best prices, on a rim of the ground: they cross the brightest places. */
function drawTouch(
  context: CanvasRenderingContext2D,
  points: readonly PathPoint[],
  { time, price, plot }: HeatmapPicture,
  colours: Colours,
): void {
  const { width, height } = plot;
  for (const [side, colour] of [
    ['bid', colours.up],
    ['ask', colours.down],
  ] as const) {
    context.beginPath();
    let isDown = false;
    for (const point of points) {
      const ticks = point[side];
      if (Number.isNaN(ticks) || point.isBroken) isDown = false;
      if (Number.isNaN(ticks)) continue;
      const y = yOf(ticks, price, height);
      const x = xOf(point.from, time, width);
      if (isDown) context.lineTo(x, y);
      else context.moveTo(x, y);
      context.lineTo(xOf(point.to, time, width), y);
      isDown = true;
    }
    context.lineJoin = 'round';
    context.strokeStyle = withAlpha(colours.ground, 0.75);
    context.lineWidth = 3;
    context.stroke();
    context.strokeStyle = colour;
    context.lineWidth = 1.25;
    context.stroke();
  }
}

function drawTraded(
  context: CanvasRenderingContext2D,
  points: readonly PathPoint[],
  { time, price, plot }: HeatmapPicture,
  colours: Colours,
): void {
  context.beginPath();
  let isDown = false;
  for (const { from, to, last, isBroken } of points) {
    if (isBroken) isDown = false;
    if (Number.isNaN(last)) continue;
    const x = (xOf(from, time, plot.width) + xOf(to, time, plot.width)) / 2;
    const y = yOf(last, price, plot.height);
    if (isDown) context.lineTo(x, y);
    else context.moveTo(x, y);
    isDown = true;
  }
  context.strokeStyle = colours.text;
  context.lineWidth = 1;
  context.stroke();
}

/** A pie of what was bought and what was sold. */
function drawBubble(
  context: CanvasRenderingContext2D,
  { period, ticks, bought, sold }: Bubble,
  { time, price, plot, mostTraded }: HeatmapPicture,
  colours: Colours,
): void {
  const radius = radiusOf(bought + sold, mostTraded, LARGEST_BUBBLE);
  if (radius < SMALLEST_BUBBLE) return;
  const x = xOf(period, time, plot.width);
  const y = yOf(ticks, price, plot.height);
  const top = -Math.PI / 2;
  const share = (bought / (bought + sold)) * 2 * Math.PI;
  for (const [colour, start, end] of [
    [colours.up, top, top + share],
    [colours.down, top + share, top + 2 * Math.PI],
  ] as const) {
    if (end - start < 0.01) continue;
    context.beginPath();
    if (end - start < 2 * Math.PI - 0.01) context.moveTo(x, y);
    context.arc(x, y, radius, start, end);
    context.closePath();
    context.fillStyle = withAlpha(colour, 0.82);
    context.fill();
  }
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.strokeStyle = colours.ground;
  context.lineWidth = 1;
  context.stroke();
}
