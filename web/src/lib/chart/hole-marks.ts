import type { Candle } from '@depthwire/shared';
import type {
  IPanePrimitive,
  IPanePrimitivePaneView,
  IPrimitivePaneRenderer,
  Logical,
  PaneAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { Colours } from './colours.ts';
import { hatchOf } from './hatch.ts';
import { placeOf, type Hole } from './holes.ts';

/** Pixels of a hole that is narrower, or between two candles. */
const NARROWEST = 3;
/** Of the mark at the foot, pixels: in a theme without much contrast the hatch alone could be overlooked. */
const FOOT = 3;

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

/** Holes of the history, hatched behind the candles as those of the heatmap are, with a mark at the foot of the pane. */
export class HoleMarks implements IPanePrimitive<Time> {
  #colours: Colours;
  #candles: readonly Candle[] = [];
  #holes: readonly Hole[] = [];
  /** Of a candle. */
  #seconds = 60;
  #chart: PaneAttachedParameter<Time> | null = null;
  #hatch: { readonly pattern: CanvasPattern; readonly pixelRatio: number } | null = null;
  readonly #views: readonly IPanePrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => ({ draw: (target) => this.#draw(target) }) },
  ];

  constructor(colours: Colours) {
    this.#colours = colours;
  }

  attached(chart: PaneAttachedParameter<Time>): void {
    this.#chart = chart;
  }

  detached(): void {
    this.#chart = null;
  }

  paneViews(): readonly IPanePrimitivePaneView[] {
    return this.#views;
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    this.#hatch = null;
  }

  /** No holes, and candles of so many seconds. */
  reset(seconds: number): void {
    this.#seconds = seconds;
    this.#candles = [];
    this.show([]);
  }

  /** What they are drawn behind; the chart draws anew for them anyway. */
  setCandles(candles: readonly Candle[]): void {
    this.#candles = candles;
  }

  show(holes: readonly Hole[]): void {
    this.#holes = holes;
    this.#chart?.requestUpdate();
  }

  #draw(target: Target): void {
    const scale = this.#chart?.chart.timeScale();
    if (!scale || this.#holes.length === 0 || this.#candles.length === 0) return;
    // The library tells no coordinates within a candle.
    const origin = scale.logicalToCoordinate(0 as Logical)!;
    const spacing = scale.logicalToCoordinate(1 as Logical)! - origin;
    target.useBitmapCoordinateSpace(({ context, mediaSize, horizontalPixelRatio, verticalPixelRatio }) => {
      context.scale(horizontalPixelRatio, verticalPixelRatio);
      if (this.#hatch?.pixelRatio !== horizontalPixelRatio)
        this.#hatch = {
          pattern: hatchOf(context, this.#colours, horizontalPixelRatio),
          pixelRatio: horizontalPixelRatio,
        };
      const { width, height } = mediaSize;
      for (const hole of this.#holes) {
        const place = placeOf(hole, this.#candles, this.#seconds);
        if (!place) continue;
        const from = origin + place.from * spacing;
        const to = origin + place.to * spacing;
        if (to < -NARROWEST || from > width + NARROWEST) continue;
        const wide = Math.max(NARROWEST, Math.round(to - from));
        const left = Math.round((from + to - wide) / 2);
        context.fillStyle = this.#hatch.pattern;
        context.fillRect(left, 0, wide, height);
        context.fillStyle = this.#colours['text-3'];
        context.fillRect(left, height - FOOT, wide, FOOT);
      }
    });
  }
}
