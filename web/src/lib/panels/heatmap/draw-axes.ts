import type { BookSide, OrderBook, Scale } from '@depthwire/shared';
import { bucketOf } from '@depthwire/shared/depth';
import { fontOf } from '../../chart/canvas-text.ts';
import { withAlpha, type Colours } from '../../chart/colours.ts';
import { formatPrice } from '../../format/price.ts';
import { formatTime, type TimeZone } from '../../format/time.ts';
import { priceMarks, timeMarks } from './axes.ts';
import { xOf, yOf, type PriceView, type TimeView } from './view.ts';

export const TIME_AXIS = 20;
const PRICE_GAP = 44;
const TIME_GAP = 84;
const PADDING = 7;
/** Width of the profile of what rests now, and from which width of the panel on it is there. */
const PROFILE = 64;
const PROFILE_FROM = 460;

/** What is where in the panel, CSS pixels: the plot, the profile, the prices; below them the times. */
export interface Layout {
  readonly plot: number;
  readonly profile: number;
  readonly height: number;
  readonly width: number;
  /** Of what is written. */
  readonly textSize: number;
}

/** @param widest the price with most digits that is to be written */
export function layoutOf(
  context: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number },
  widest: string,
  textSize: number,
): Layout {
  context.font = fontOf(textSize);
  const axis = Math.ceil(context.measureText(widest.replace(/\d/g, '0')).width) + 2 * PADDING;
  const profile = size.width >= PROFILE_FROM ? PROFILE : 0;
  return {
    plot: Math.max(1, size.width - axis - profile),
    profile,
    height: Math.max(1, size.height - TIME_AXIS),
    width: size.width,
    textSize,
  };
}

export interface AxesPicture {
  readonly time: TimeView;
  readonly price: PriceView;
  readonly layout: Layout;
  readonly tick: Scale;
  readonly zone: TimeZone;
  /** The last traded price, ticks; null where there is none. */
  readonly last: number | null;
}

export function drawAxes(context: CanvasRenderingContext2D, picture: AxesPicture, colours: Colours): void {
  const { time, price, layout, tick, zone, last } = picture;
  const { plot, height, width, profile } = layout;
  const axis = plot + profile;
  context.clearRect(axis, 0, width - axis, height + TIME_AXIS);
  context.clearRect(0, height, width, TIME_AXIS);
  context.fillStyle = colours['line-strong'];
  context.fillRect(axis, 0, 1, height);
  context.fillRect(0, height, width, 1);
  context.font = fontOf(layout.textSize);
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  context.fillStyle = colours['text-3'];
  for (const ticks of priceMarks(price, height, PRICE_GAP)) {
    const y = yOf(ticks, price, height);
    if (y < 8 || y > height - 8) continue;
    context.fillText(formatPrice(ticks, tick), width - PADDING, y + 1);
  }
  context.textAlign = 'center';
  const marks = timeMarks(time.end - plot / time.scale, time.end, time.scale, TIME_GAP);
  for (const period of marks.periods) {
    const x = xOf(period, time, plot);
    if (x < 28 || x > axis - 28) continue;
    const text = formatTime(period * 1_000, zone);
    context.fillText(marks.step % 60 === 0 ? text.slice(0, 5) : text, x, height + TIME_AXIS / 2 + 1);
    context.fillRect(x, height, 1, 3);
  }
  if (last === null) return;
  const y = yOf(last, price, height);
  if (y < 0 || y > height) return;
  context.fillStyle = colours.text;
  context.fillRect(axis + 1, y - 9, width - axis - 1, 18);
  context.fillStyle = colours.ground;
  context.textAlign = 'right';
  context.fillText(formatPrice(last, tick), width - PADDING, y + 1);
}

/** What rests now, in rows as high as those of the picture: bars from the right. */
export function drawProfile(
  context: CanvasRenderingContext2D,
  book: OrderBook | null,
  { price, layout, rowTicks, most }: { price: PriceView; layout: Layout; rowTicks: number; most: number },
  colours: Colours,
): void {
  const { plot, profile, height } = layout;
  if (profile === 0) return;
  context.clearRect(plot, 0, profile, height);
  context.fillStyle = colours.line;
  context.fillRect(plot, 0, 1, height);
  if (!book) return;
  const row = (rowTicks / price.span) * height;
  for (const [side, colour] of [
    [book.bids, colours.up],
    [book.asks, colours.down],
  ] as const) {
    context.fillStyle = withAlpha(colour, 0.8);
    for (const [index, lots] of rowsOf(side, rowTicks, price)) {
      const length = Math.min(1, lots / most) * (profile - 6);
      const y = yOf((index + 1) * rowTicks, price, height);
      context.fillRect(plot + profile - length, y, length, Math.max(1, row - 0.5));
    }
  }
}

/** Sizes by row, of the rows that are shown. */
export function rowsOf(side: BookSide, rowTicks: number, { centre, span }: PriceView): Map<number, number> {
  const rows = new Map<number, number>();
  for (let rank = 0; rank < side.count; rank++) {
    const ticks = side.ticksAt(rank);
    if (Math.abs(ticks - centre) > span / 2 + rowTicks) {
      if (rows.size > 0) break;
      continue;
    }
    const row = bucketOf(ticks, rowTicks);
    rows.set(row, (rows.get(row) ?? 0) + side.lotsAt(rank));
  }
  return rows;
}
