import { unitsToNumber, type BookView, type Instrument } from '@depthwire/shared';
import { quoteValue } from '../../lib/format/scales.ts';
import { steadyScale } from '../../lib/format/steady.ts';
import {
  countWithin,
  createDepthCurve,
  fillDepthCurve,
  readDepth,
  type DepthCurve,
} from '../../lib/panels/depth/depth-curve.ts';
import { AutoSpan } from '../../lib/panels/depth/depth-span.ts';
import { drawDepth } from '../../lib/panels/depth/draw-depth.ts';
import type { ColourProbe } from './canvas-colours.ts';
import { cancelDraw, requestDraw } from './frames.ts';
import { h, setAttribute, setText } from './dom.ts';
import type { Formats } from './format.ts';
import type { Say } from './language.ts';

export const depthChartStyle = `
.depth { position: relative; flex: 1 1 auto; min-block-size: 6em; direction: ltr; overflow: hidden; cursor: crosshair; touch-action: pan-y; font-size: var(--_small); }
.depth .picture { position: absolute; inset: 0; }
.depth .edge { position: absolute; inset-block-start: 0.1em; padding: 0 0.6em; max-inline-size: 50%; overflow: hidden; text-overflow: ellipsis; line-height: 1.5; white-space: nowrap; pointer-events: none; }
.depth .bid { right: 50%; }
.depth .ask { left: 50%; }
.depth .edge.bid { color: var(--_up); }
.depth .edge.ask { color: var(--_down); }
.depth dl { position: absolute; inset-block-start: 0.4em; display: grid; grid-template-columns: auto auto; gap: 0 0.7em; margin: 0 0.5em; padding: 0.3em 0.6em; border: 1px solid var(--_line); border-radius: 4px; background: var(--_ground); line-height: 1.4; pointer-events: none; white-space: nowrap; }
.depth dl[hidden], .depth .edge[hidden], .depth .none[hidden] { display: none; }
.depth dt { color: var(--_text-2); }
.depth dd { margin: 0; text-align: right; }
.depth .price { grid-column: 1 / -1; font-weight: 600; text-align: left; }
.depth .bid .price { color: var(--_up); }
.depth .ask .price { color: var(--_down); }
.depth .none { position: absolute; inset: 0; display: grid; place-content: center; color: var(--_text-2); }
@container depthwire (inline-size < 24em) {
  .depth dl { display: block; margin: 0 2px; padding: 0.2em 0.4em; }
  .depth dt { display: none; }
  .depth dd { text-align: left; }
  .depth .edge { padding: 0 0.3em; }
}
@container depthwire (inline-size < 15em) { .depth .edge .side { display: none; } }
@container depthwire (inline-size < 20em) {
  .depth .unit { display: none; }
  .depth dl { padding-inline: 0.3em; }
}
@media print { .depth dl { display: none; } }
`;

/** Levels that the automatic span reaches to: more, asked for by another, do not zoom it out. */
export const AUTO_LEVELS = 200;
/** A key moves the crosshair by this share of the span. */
const KEY_STEP = 0.02;

const sides = ['bid', 'ask'] as const;
type Side = (typeof sides)[number];

export interface DepthChartOptions {
  readonly formats: Formats;
  readonly say: Say;
  /** Basis points to each side; null for what fits. */
  readonly span: number | null;
  readonly measure: 'size' | 'value';
}

/** What is near the middle, by side. */
interface Shown {
  readonly book: BookView;
  readonly instrument: Instrument;
  readonly midTicks: number;
  readonly span: number;
  readonly spanTicks: number;
}

/** The cumulative size of both sides of a book around its middle, with a crosshair. */
export class DepthChart {
  readonly element = h('div', { class: 'depth', part: 'chart' });
  readonly #picture = h('div', { class: 'picture', role: 'img', tabindex: '0' });
  readonly #options: DepthChartOptions;
  readonly #probe: ColourProbe;
  readonly #canvas = h('canvas', { dir: 'ltr' });
  readonly #context = this.#canvas.getContext('2d')!;
  readonly #curves: Record<Side, DepthCurve> = { bid: createDepthCurve(), ask: createDepthCurve() };
  readonly #edges: Record<Side, Edge>;
  readonly #readings: Record<Side, Reading>;
  readonly #none: HTMLElement;
  /** What readers hear where the keyboard moves the crosshair. */
  readonly #spoken = h('div', { class: 'hidden', role: 'status' });
  readonly #auto = new AutoSpan();
  readonly #paintNow = () => this.#paint();
  readonly #observer = new ResizeObserver(() => requestDraw(this.#paintNow));
  #top: number | null = null;
  #shown: Shown | null = null;
  /** Where the crosshair is, a share of the span; null without one. */
  #pointed: number | null = null;

  constructor(probe: ColourProbe, options: DepthChartOptions) {
    this.#probe = probe;
    this.#options = options;
    const { say } = options;
    this.#edges = { bid: edgeOf('bid', say), ask: edgeOf('ask', say) };
    this.#readings = { bid: readingOf('bid', say), ask: readingOf('ask', say) };
    this.#none = h('div', { class: 'none', hidden: true }, say('one_sided'));
    const picture = this.#picture;
    this.described(say('waiting'));
    picture.append(this.#canvas, this.#none);
    for (const side of sides) picture.append(this.#edges[side].element, this.#readings[side].element);
    this.element.append(picture, this.#spoken);
    const point = ({ clientX }: PointerEvent) => {
      const { left, width } = picture.getBoundingClientRect();
      this.#point(width > 0 ? Math.min(1, Math.abs((clientX - left) / width - 0.5) * 2) : null);
    };
    picture.onpointermove = picture.onpointerdown = point;
    picture.onpointerleave = picture.onpointercancel = picture.onblur = () => this.#point(null);
    picture.onkeydown = (event) => this.#onKey(event);
    this.#observer.observe(picture);
  }

  destroy(): void {
    this.#observer.disconnect();
    cancelDraw(this.#paintNow);
  }

  show(book: BookView, instrument: Instrument): void {
    const isFirst = this.#shown === null;
    const { bestBid, bestAsk, bids, asks } = book.book;
    if (bestBid === null || bestAsk === null) this.#shown = null;
    else {
      const midTicks = (bestBid + bestAsk) / 2;
      fillDepthCurve(this.#curves.bid, bids);
      fillDepthCurve(this.#curves.ask, asks);
      const reach = Math.min(...sides.map((side) => reachOf(this.#curves[side], midTicks, AUTO_LEVELS)));
      const span = this.#options.span ?? this.#auto.at((reach / midTicks) * 10_000, performance.now());
      this.#shown = { book, instrument, midTicks, span, spanTicks: (span / 10_000) * midTicks };
    }
    this.#none.hidden = this.#shown !== null;
    // The first picture takes long enough to have a frame of its own.
    if (isFirst) requestDraw(this.#paintNow);
    else this.#paint();
  }

  /** In words: how much rests within the span; null where nothing is shown. */
  describe(name: string): string | null {
    const { formats, say } = this.#options;
    if (!this.#shown) return null;
    const { midTicks, instrument } = this.#shown;
    return say('depth_text', {
      ...{ name, span: this.span!, mid: formats.between(midTicks, instrument.tick) },
      ...{ bids: wordsOf(this.#total('bid')), asks: wordsOf(this.#total('ask')) },
    });
  }

  described(text: string): void {
    setAttribute(this.#picture, 'aria-label', text);
  }

  /** `±20 bps`. */
  get span(): string | null {
    if (!this.#shown) return null;
    const { formats, say } = this.#options;
    const { span } = this.#shown;
    return span < 100
      ? say('bps', { value: `±${formats.figures(span)}` })
      : `±${formats.share(span / 10_000)}`;
  }

  #paint(): void {
    const { clientWidth: width, clientHeight: height } = this.#picture;
    const canvas = this.#canvas;
    const ratio = devicePixelRatio;
    const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide || canvas.height !== tall) Object.assign(canvas, { width: wide, height: tall });
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const shown = this.#shown;
    for (const side of sides) {
      this.#edges[side].element.hidden = shown === null || this.#pointed !== null;
      this.#readings[side].element.hidden = shown === null || this.#pointed === null;
    }
    if (shown && wide > 0 && tall > 0) this.#draw(shown, width, height);
    else this.#context.clearRect(0, 0, width, height);
  }

  #draw({ midTicks, spanTicks, instrument }: Shown, width: number, height: number): void {
    const { formats } = this.#options;
    const { tick, lot } = instrument;
    const { bid: bids, ask: asks } = this.#curves;
    const measure = this.#options.measure === 'size' ? 'lots' : 'cost';
    const within = (curve: DepthCurve, of: 'lots' | 'cost') => {
      const count = countWithin(curve, midTicks, spanTicks);
      return count > 0 ? curve[of][count - 1]! : 0;
    };
    const most = (of: 'lots' | 'cost') => Math.max(within(bids, of), within(asks, of), 1);
    this.#top = steadyScale(this.#top, most(measure));
    const { fontFamily, fontSize } = getComputedStyle(this.element);
    const colours = this.#probe.now;
    drawDepth(
      { context: this.#context, width, height, textSize: parseFloat(fontSize), textFamily: fontFamily },
      {
        ...{ bids, asks, midTicks, spanTicks, measure, top: this.#top, bars: null },
        readingTicks: this.#pointed === null ? null : this.#pointed * spanTicks,
        orderTicks: { bid: null, ask: null },
        midText: formats.between(midTicks, tick),
        placeText: (ticks) => formats.price(Math.round(midTicks + ticks), tick),
        topText: (amount) =>
          formats.compact(measure === 'lots' ? unitsToNumber(amount, lot) : quoteValue(amount, instrument)),
      },
      { ...colours, grid: colours.line, 'line-strong': colours.line, 'text-3': colours['text-2'] },
    );
    for (const side of sides) {
      write(this.#edges[side].amount, this.#total(side));
      if (this.#pointed !== null) this.#read(side, this.#pointed * spanTicks);
    }
  }

  /** How much of a side is within the span. */
  #total(side: Side, measure = this.#options.measure): Amount {
    const { midTicks, spanTicks } = this.#shown!;
    return this.#amount(side, readDepth(this.#curves[side], midTicks, spanTicks), spanTicks, measure);
  }

  /** At least so much, where the book that is known ends before the distance. */
  #amount(
    side: Side,
    reading: { readonly lots: number; readonly cost: number } | null,
    distance: number,
    measure: 'size' | 'value',
  ): Amount {
    const { formats } = this.#options;
    const { instrument } = this.#shown!;
    const { lots = 0, cost = 0 } = reading ?? {};
    const isSize = measure === 'size';
    const amount = isSize ? unitsToNumber(lots, instrument.lot) : quoteValue(cost, instrument);
    const text = (this.#isShort(side, distance) ? '≥ ' : '') + formats.compact(amount);
    return { text, unit: isSize ? instrument.base : instrument.quote };
  }

  /** Whether more may rest within a distance than the server sends. */
  #isShort(side: Side, distance: number): boolean {
    const { book, midTicks } = this.#shown!;
    const depth = book.granted?.depth ?? 0;
    const curve = this.#curves[side];
    return depth > 0 && curve.count >= depth && reachOf(curve, midTicks, Infinity) < distance;
  }

  #read(side: Side, distance: number): void {
    const { midTicks, instrument } = this.#shown!;
    const { formats } = this.#options;
    const { price, size, value } = this.#readings[side];
    const reading = readDepth(this.#curves[side], midTicks, distance);
    const at = Math.round(midTicks + (side === 'bid' ? -distance : distance));
    setText(price, formats.price(at, instrument.tick));
    write(size, this.#amount(side, reading, distance, 'size'));
    write(value, this.#amount(side, reading, distance, 'value'));
  }

  #point(share: number | null): void {
    if (share === this.#pointed) return;
    this.#pointed = share;
    this.#paint();
  }

  #onKey(event: KeyboardEvent): void {
    const { key } = event;
    if (key === 'Escape') this.#point(null);
    else if (key === 'ArrowLeft' || key === 'ArrowRight') {
      const by = key === 'ArrowRight' ? KEY_STEP : -KEY_STEP;
      this.#point(Math.min(1, Math.max(0, (this.#pointed ?? 0.5 - by) + by)));
    } else return;
    event.preventDefault();
    const { bid, ask } = this.#readings;
    const said = ({ price, size, value }: Reading) =>
      [price, size, value].map(({ textContent }) => textContent).join(', ');
    const isRead = this.#shown && this.#pointed !== null;
    setText(this.#spoken, isRead ? `${said(bid)}; ${said(ask)}` : '');
  }
}

interface Amount {
  readonly text: string;
  readonly unit: string;
}

const wordsOf = ({ text, unit }: Amount) => `${text} ${unit}`;

/** An amount, and its unit where there is room. */
function amountIn(element: HTMLElement): HTMLElement {
  element.append(h('span'), h('span', { class: 'unit' }));
  return element;
}

function write({ children }: HTMLElement, { text, unit }: Amount): void {
  setText(children[0]!, text);
  setText(children[1]!, ` ${unit}`);
}

/** What is written of a side while no crosshair is there. */
interface Edge {
  readonly element: HTMLElement;
  readonly amount: HTMLElement;
}

function edgeOf(side: Side, say: Say): Edge {
  const amount = amountIn(h('span'));
  // Where there is no room for it the place says the same, left or right of the middle: no figure is cut for a word.
  const name = h('span', { class: 'side' }, `${say(side === 'bid' ? 'bids' : 'asks')} `);
  return { element: h('span', { class: `edge ${side}`, part: `${side}-total` }, name, amount), amount };
}

interface Reading {
  readonly element: HTMLElement;
  readonly price: HTMLElement;
  readonly size: HTMLElement;
  readonly value: HTMLElement;
}

function readingOf(side: Side, say: Say): Reading {
  const [price, size, value] = [h('dd', { class: 'price' }), amountIn(h('dd')), amountIn(h('dd'))];
  const element = h(
    'dl',
    { class: side, part: `${side}-reading`, hidden: true },
    h('dt', { class: 'hidden' }, say(side)),
    price,
    h('dt', {}, say('size')),
    size,
    h('dt', {}, say('value')),
    value,
  );
  return { element, price, size, value };
}

/** How far from the middle the levels of a side go, ticks. */
function reachOf(curve: DepthCurve, midTicks: number, levels: number): number {
  const count = Math.min(levels, curve.count);
  return count === 0 ? 0 : Math.abs(curve.ticks[count - 1]! - midTicks);
}
