import { fontOf } from '../../chart/canvas-text.ts';
import { withAlpha, type Colours } from '../../chart/colours.ts';
import type { DepthMeasure } from './depth-bars.ts';
import { countWithin, type DepthCurve } from './depth-curve.ts';

export interface DepthPicture {
  readonly bids: DepthCurve;
  readonly asks: DepthCurve;
  readonly midTicks: number;
  /** Ticks from the mid to either edge. */
  readonly spanTicks: number;
  readonly measure: DepthMeasure;
  /** At the top of the scale, in the measure. */
  readonly top: number;
  /** Bars of each side from the mid outwards instead of the curves; null for the curves. */
  readonly bars: { readonly parts: number; readonly bids: Float64Array; readonly asks: Float64Array } | null;
  /** Where the reading is, ticks from the mid; null without one. */
  readonly readingTicks: number | null;
  /** Where a market order would end, in ticks from the mid; null where there is none. */
  readonly orderTicks: { readonly bid: number | null; readonly ask: number | null };
  readonly midText: string;
  /** What is written below the chart at a distance from the mid. */
  placeText(ticksFromMid: number): string;
  topText(amount: number): string;
}

type DepthColours = Pick<
  Colours,
  'ground' | 'grid' | 'line-strong' | 'text' | 'text-2' | 'text-3' | 'up' | 'down' | 'accent'
>;

export interface Canvas {
  readonly context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Of what is written on it. */
  readonly textSize: number;
  /** The dashboard's font where it is left out. */
  readonly textFamily?: string;
}

const AXIS_HEIGHT = 20;
/** What is written of both sides is above the plot, where no curve crosses it. */
const TOP_MARGIN = 22;
/** Places of the price labels, shares of the span on each side; as many as there is room for. */
const PRICE_MARKS = [[0.25, 0.5, 0.75], [0.5], []];
/** Shares of the scale that have a label: as many as there is room for. */
const SIZE_MARKS = [[0.25, 0.5, 0.75, 1], [0.5, 1], [1], []];
/** Between two of them, in heights of the text; a label has the smaller part of it, below its line. */
const SIZE_GAP = 2.4;
const LABEL_PADDING = 3;
/** A span of fewer ticks has its labels at whole ones. */
const FEW_TICKS = 20;
/** Room between two labels. */
const LABEL_GAP = 16;

function plotHeight(height: number): number {
  return Math.max(1, height - AXIS_HEIGHT - TOP_MARGIN);
}

export function drawDepth(canvas: Canvas, picture: DepthPicture, colours: DepthColours): void {
  const { context, width, height, textSize, textFamily } = canvas;
  const base = height - AXIS_HEIGHT;
  const tall = plotHeight(height);
  const middle = width / 2;
  const perTick = middle / picture.spanTicks;
  const x = (ticks: number) => middle + (ticks - picture.midTicks) * perTick;
  const y = (amount: number) => base - (amount / picture.top) * tall;

  context.clearRect(0, 0, width, height);
  context.font = fontOf(textSize, 400, textFamily);
  context.lineWidth = 1;

  context.strokeStyle = withAlpha(colours.grid, 0.7);
  context.beginPath();
  const marks = sizeMarks(tall, textSize);
  for (const mark of marks) line(context, 0, y(mark * picture.top), width, y(mark * picture.top));
  const labelWidth = context.measureText(picture.midText).width + LABEL_GAP;
  const oneSided = PRICE_MARKS.find(([first]) => !first || first * middle > labelWidth) ?? [];
  const places = markPlaces(oneSided, picture);
  for (const place of places)
    line(context, x(picture.midTicks + place), 0, x(picture.midTicks + place), base);
  context.stroke();

  for (const [side, sign, colour] of [
    ['bids', -1, colours.up],
    ['asks', 1, colours.down],
  ] as const) {
    if (picture.bars) {
      context.fillStyle = withAlpha(colour, 0.75);
      drawBars(context, picture.bars[side], picture.bars.parts, { middle, sign, y, base });
      continue;
    }
    const outline = steps(picture[side], picture, x, y, base, sign < 0 ? 0 : width);
    context.fillStyle = withAlpha(colour, 0.16);
    context.fill(outline.area);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.stroke(outline.edge);
  }

  context.lineWidth = 1;
  context.strokeStyle = colours['line-strong'];
  context.beginPath();
  line(context, 0, base, width, base);
  line(context, middle, base - tall, middle, base);
  context.stroke();

  drawOrder(context, picture, colours, { x, y, base, tall });

  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const mark of marks) {
    const text = picture.topText(mark * picture.top);
    const under = y(mark * picture.top) + 1;
    const tallLabel = textSize + LABEL_PADDING;
    const wide = context.measureText(text).width + 2 * LABEL_PADDING;
    // On a ground of its own: the curve runs there too.
    context.fillStyle = withAlpha(colours.ground, 0.86);
    context.fillRect(width - 8 + LABEL_PADDING - wide, under, wide, tallLabel);
    context.fillStyle = colours['text-3'];
    context.fillText(text, width - 8, under + tallLabel / 2 + 0.5);
  }
  context.textAlign = 'center';
  for (const place of places)
    context.fillText(picture.placeText(place), x(picture.midTicks + place), base + AXIS_HEIGHT / 2 + 1);
  context.fillStyle = colours.text;
  context.font = fontOf(textSize, 600, textFamily);
  context.fillText(picture.midText, middle, base + AXIS_HEIGHT / 2 + 1);

  if (picture.readingTicks !== null) drawReading(context, picture, colours, { x, y, base, tall });
}

/** Which shares of the scale are written in a plot so tall, in pixels. */
export function sizeMarks(tall: number, textSize: number): readonly number[] {
  return SIZE_MARKS.find(([first]) => first === undefined || first * tall >= SIZE_GAP * textSize)!;
}

/**
 * Where prices are written, ticks from the mid.
 * @param marks of one side, shares of the span
 */
export function markPlaces(
  marks: readonly number[],
  { midTicks, spanTicks }: Pick<DepthPicture, 'midTicks' | 'spanTicks'>,
): number[] {
  const places = marks.flatMap((mark) => [-mark * spanTicks, mark * spanTicks]);
  if (spanTicks >= FEW_TICKS) return places;
  // Else two labels would tell the same price. Outwards: the mid has a label too.
  const ticks = places.map((place) => (place < 0 ? Math.floor : Math.ceil)(midTicks + place));
  return [...new Set(ticks)]
    .map((tick) => tick - midTicks)
    .filter((place) => Math.abs(place) < 0.9 * spanTicks);
}

interface Scales {
  x(ticks: number): number;
  /** Of an amount in the measure. */
  y(amount: number): number;
  readonly base: number;
  readonly tall: number;
}

/** Bars of a side from the mid outwards, a pixel apart. */
function drawBars(
  context: CanvasRenderingContext2D,
  bars: Float64Array,
  parts: number,
  { middle, sign, y, base }: { middle: number; sign: 1 | -1; y: Scales['y']; base: number },
): void {
  const width = middle / parts;
  for (let part = 0; part < parts; part++) {
    const amount = bars[part]!;
    if (amount <= 0) continue;
    const from = Math.round(middle + sign * part * width);
    const to = Math.round(middle + sign * (part + 1) * width);
    const top = Math.min(y(amount), base - 1);
    context.fillRect(Math.min(from, to), top, Math.max(1, Math.abs(to - from) - 1), base - top);
  }
}

/** How far a market order would go: a mark at the foot of either side. */
function drawOrder(
  context: CanvasRenderingContext2D,
  picture: DepthPicture,
  colours: DepthColours,
  { x, base, tall }: Scales,
): void {
  for (const [side, sign] of [
    ['bid', -1],
    ['ask', 1],
  ] as const) {
    const distance = picture.orderTicks[side];
    if (distance === null || distance > picture.spanTicks) continue;
    const at = x(picture.midTicks + sign * distance);
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.beginPath();
    line(context, at, base - tall, at, base);
    context.stroke();
  }
}

function drawReading(
  context: CanvasRenderingContext2D,
  picture: DepthPicture,
  colours: DepthColours,
  { x, y, base, tall }: Scales,
): void {
  const distance = picture.readingTicks!;
  for (const [curve, sign, colour] of [
    [picture.bids, -1, colours.up],
    [picture.asks, 1, colours.down],
  ] as const) {
    const at = x(picture.midTicks + sign * distance);
    const count = countWithin(curve, picture.midTicks, distance);
    const top = count > 0 ? y(curve[picture.measure][count - 1]!) : base;
    context.fillStyle = withAlpha(colour, 0.16);
    const from = x(picture.midTicks);
    context.fillRect(Math.min(at, from), base - tall, Math.abs(at - from), tall);
    context.strokeStyle = colours['text-2'];
    context.setLineDash([3, 3]);
    context.beginPath();
    line(context, at, base - tall, at, base);
    context.stroke();
    context.setLineDash([]);
    if (picture.bars) continue;
    context.fillStyle = colour;
    context.strokeStyle = colours.ground;
    context.beginPath();
    context.arc(at, top, 4, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

/** The curve as steps from the mid to the edge of the chart: the line, and the area below it. */
function steps(
  curve: DepthCurve,
  picture: DepthPicture,
  x: Scales['x'],
  y: Scales['y'],
  base: number,
  edge: number,
) {
  const line = new Path2D();
  const heights = curve[picture.measure];
  const count = countWithin(curve, picture.midTicks, picture.spanTicks);
  if (count === 0) return { edge: line, area: new Path2D() };
  const first = x(curve.ticks[0]!);
  line.moveTo(first, base);
  for (let i = 0; i < count; i++) {
    const at = x(curve.ticks[i]!);
    if (i > 0) line.lineTo(at, y(heights[i - 1]!));
    line.lineTo(at, y(heights[i]!));
  }
  // Beyond the last level nothing more is known, unless the next one is outside the picture.
  const end = count < curve.count ? edge : x(curve.ticks[count - 1]!);
  line.lineTo(end, y(heights[count - 1]!));
  const area = new Path2D(line);
  area.lineTo(end, base);
  area.closePath();
  return { edge: line, area };
}

/** A hairline on whole pixels. */
function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  const half = (value: number) => Math.round(value - 0.5) + 0.5;
  context.moveTo(half(x1), half(y1));
  context.lineTo(half(x2), half(y2));
}
