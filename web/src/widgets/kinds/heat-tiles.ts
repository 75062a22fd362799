import type { Face, FaceOptions } from '../element.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { MarketsWidget, noteOf, turnoversOf, wayOf, type Market } from '../core/markets.ts';
import { instruments, sizeBy } from '../core/list-options.ts';
import { rove, settle } from '../core/rove.ts';
import { fontFor, isSeen, levelOf, levels, shortLabels, weightsOf } from '../core/tiles.ts';
import { squarify } from '../core/treemap.ts';
import { changeOf } from '../core/widget.ts';

const style = `
ul { position: absolute; inset: 1px; margin: 0; padding: 0; list-style: none; overflow: hidden; }
li { position: absolute; padding: 1px; }
.tile {
  --_tone: var(--_raised);
  --_fill: color-mix(in oklab, var(--_tone) var(--_level, 100%), var(--_ground));
  display: flex; flex-direction: column; align-items: center; justify-content: center;
  inline-size: 100%; block-size: 100%; padding: 0; border: 0; border-radius: 3px; overflow: hidden;
  background: var(--_fill); color: var(--_text); line-height: 1.25; white-space: nowrap; cursor: pointer;
}
@supports (color: lch(from red l c h)) {
  /* Black or white, whichever is told better from the tile: they are equal at a lightness of 49.44. */
  .tile { color: lch(from var(--_fill) calc((49.44 - l) * infinity) 0 0); }
}
.tile.up { --_tone: var(--_up); }
.tile.down { --_tone: var(--_down); }
.tile:is(.up, .down)[data-level='0'] { --_tone: var(--_raised); }
.tile[data-level='1'] { --_level: 26%; }
.tile[data-level='2'] { --_level: 40%; }
.tile[data-level='3'] { --_level: 54%; }
.tile[data-level='4'] { --_level: 68%; }
.tile[data-level='5'] { --_level: 82%; }
.tile.old { --_fill: var(--_raised); }
.tile:hover { outline: 2px solid currentcolor; outline-offset: -2px; }
.tile:focus-visible { outline: 3px solid currentcolor; outline-offset: -3px; border-radius: 3px; }
.label { font-weight: 600; }
.broken { white-space: normal; }
.figure { font-size: 0.85em; }
.frame[data-old] .body { filter: grayscale(1); }
@media (forced-colors: active) { .tile { border: 1px solid CanvasText; } }
@media print { .tile { print-color-adjust: exact; } }
`;

const own = { instruments, 'size-by': sizeBy };

/** Tiles change places no more often than this, and only where it is seen. */
const LAYOUT_EVERY_MS = 5_000;
/** Smallest area of a tile, square pixels: what can be hit. */
const LEAST_AREA = 26 * 26;
/** As wide as most changes become; its letters are smaller than those of the name. */
const CHANGE = '+8.88%';
const FIGURE_SHARE = 0.85;
/** All have answered by then, or are drawn as they come. */
const FIRST_WITHIN_MS = 1_500;

interface Tile {
  readonly place: HTMLElement;
  readonly button: HTMLElement;
  readonly label: HTMLElement;
  readonly figure: HTMLElement;
  drawn: Market | null;
  /** That there is room for. */
  letters: number;
}

class HeatTilesWidget extends MarketsWidget<typeof own> {
  #tiles = new Map<string, Tile>();
  #list = h('ul');
  #sizes: ResizeObserver | null = null;
  #width = 0;
  #height = 0;
  #isPointed = false;
  #laidOutAt = -Infinity;
  #builtAt = 0;
  /** How many had answered when it was laid out; less than none before. */
  #known = -1;
  #weights: ReadonlyMap<string, number> = new Map();

  protected build(): void {
    this.release();
    this.#isPointed = false;
    this.#tiles = new Map(this.options.instruments.map((id) => [id, tileOf(id)]));
    this.#list = h('ul', { part: 'tiles' }, ...[...this.#tiles.values()].map(({ place }) => place));
    this.body.append(this.#list);
    rove(this.#list, 'button');
    settle(this.#list, 'button');
    this.#list.addEventListener('click', ({ target }) => {
      const id = (target as Element).closest('button')?.dataset.id;
      if (id) this.tellSelected({ instrument: id });
    });
    this.#list.addEventListener('pointerenter', () => (this.#isPointed = true));
    this.#list.addEventListener('pointerleave', () => (this.#isPointed = false));
    this.#sizes = new ResizeObserver(([entry]) => {
      ({ width: this.#width, height: this.#height } = entry!.contentRect);
      this.#laidOutAt = -Infinity;
      this.redraw();
    });
    this.#sizes.observe(this.#list);
    this.#laidOutAt = -Infinity;
    this.#builtAt = performance.now();
    this.#known = -1;
    this.#list.style.visibility = 'hidden';
  }

  protected draw(): void {
    const { formats } = this;
    this.drawSome((market) => {
      const tile = this.#tiles.get(market.id);
      const note = noteOf(market);
      if (!tile || (note === null && tile.drawn === market)) return;
      tile.drawn = market;
      const { instrument, ticker } = market;
      const change = ticker && changeOf(ticker);
      const label = this.labelOf(market);
      const figure = ticker ? formats.percent(change) : this.noteText(market, note ?? 'waiting');
      const price = instrument && ticker ? formats.price(ticker.last, instrument.tick) : '';
      setText(tile.figure, figure);
      if (figure.length > tile.letters) this.#laidOutAt = -Infinity;
      setAttribute(tile.button, 'class', `tile ${wayOf(change)} ${note === 'old' ? 'old' : ''}`);
      setAttribute(tile.button, 'data-level', ticker ? String(levelOf(change)) : null);
      setAttribute(
        tile.button,
        'title',
        [instrument?.name ?? label, price, figure].filter(Boolean).join(' · '),
      );
    });
    this.#layOut();
  }

  protected override release(): void {
    this.#sizes?.disconnect();
    this.#sizes = null;
    this.#width = 0;
  }

  protected override describe(): string | null {
    const { formats } = this;
    const most = levels.at(-1)!;
    const words = [
      super.describe(),
      this.say('tiles_legend', { least: formats.percent(-most), most: formats.percent(most) }),
    ];
    if (this.options['size-by'] === 'volume') words.push(this.say('tiles_sizes'));
    return words.join(' ');
  }

  #layOut(): void {
    const now = performance.now();
    const { markets } = this;
    if (this.#width === 0) return;
    const known = markets.filter(({ ticker, view }) => ticker !== null || view?.refusal).length;
    const isFirst = this.#known < 0;
    // The first time it is waited until all have answered: else everything would move as they come.
    if (isFirst && known < markets.length && now - this.#builtAt < FIRST_WITHIN_MS) return;
    const isAsked = this.#laidOutAt === -Infinity || (known !== this.#known && !isFirst);
    if (!isAsked && now - this.#laidOutAt < LAYOUT_EVERY_MS) return;
    if (!isAsked && (this.#isPointed || this.#list.matches(':has(:focus-visible)'))) return;
    this.#laidOutAt = now;
    this.#known = known;
    const values = this.options['size-by'] === 'equal' ? markets.map(() => 1) : turnoversOf(markets);
    const weights = weightsOf(values, LEAST_AREA / (this.#width * this.#height));
    const after = new Map(markets.map(({ id }, index) => [id, weights[index]!]));
    if (!isAsked && !isSeen(this.#weights, after)) return;
    this.#weights = after;
    this.#place(markets, weights);
  }

  #place(markets: readonly Market[], weights: readonly number[]): void {
    const order = markets.map((_, index) => index).sort((a, b) => weights[b]! - weights[a]!);
    const boxes = squarify(
      order.map((index) => weights[index]!),
      this.#width,
      this.#height,
    );
    const labels = markets.map((market) => this.labelOf(market));
    const shorts = shortLabels(labels);
    const widthOf = measureIn(getComputedStyle(this.#list).fontFamily);
    for (const [place, index] of order.entries()) {
      const tile = this.#tiles.get(markets[index]!.id)!;
      const { x, y, width, height } = boxes[place]!;
      const { style } = tile.place;
      // In shares, so that they fill the box until they are laid out for another.
      style.insetInlineStart = `${(x / this.#width) * 100}%`;
      style.insetBlockStart = `${(y / this.#height) * 100}%`;
      style.inlineSize = `${(width / this.#width) * 100}%`;
      style.blockSize = `${(height / this.#height) * 100}%`;
      this.#letter(tile, labels[index]!, shorts[index]!, width, height, widthOf);
      const there = this.#list.children[place];
      if (there !== tile.place) this.#list.insertBefore(tile.place, there ?? null);
    }
    this.#list.style.visibility = '';
  }

  /** Name and change where both fit, else the name; what is not seen is still read. */
  #letter(
    tile: Tile,
    name: string,
    short: string,
    width: number,
    height: number,
    widthOf: (text: string) => number,
  ): void {
    const { button, label, figure } = tile;
    tile.letters = Math.max(CHANGE.length, figure.textContent.length);
    const figureWidth = Math.max(widthOf(CHANGE), widthOf(figure.textContent)) * FIGURE_SHARE;
    const both = (text: string) => fontFor(width, height, Math.max(widthOf(text), figureWidth), 2);
    const one = (text: string) => fontFor(width, height, widthOf(text), 1);
    const parts = name.split(/(?<=[-/ ])/);
    const broken = () => fontFor(width, height, Math.max(...parts.map(widthOf)), parts.length);
    const withFigure = both(name) ?? both(short);
    const whole = withFigure === null ? (one(name) ?? broken()) : both(name);
    const font = withFigure ?? whole ?? one(short);
    const isBroken = withFigure === null && whole !== null && one(name) === null;
    if (isBroken) label.replaceChildren(...parts.flatMap((part) => [part, h('wbr')]));
    else setText(label, whole === null && font !== null ? short : name);
    button.style.fontSize = font === null ? '' : `${font}px`;
    setAttribute(label, 'class', font === null ? 'hidden' : isBroken ? 'label broken' : 'label');
    setAttribute(figure, 'class', withFigure === null ? 'hidden' : 'figure n');
  }
}

const context = h('canvas').getContext('2d');

/** How wide a text is, in ems. */
function measureIn(family: string): (text: string) => number {
  if (context) context.font = `600 100px ${family}`;
  return (text) => (context?.measureText(text).width ?? text.length * 70) / 100;
}

function tileOf(id: string): Tile {
  const label = h('span', { class: 'label', part: 'name' });
  const figure = h('span', { class: 'figure n', part: 'change' });
  const button = h(
    'button',
    { class: 'tile', part: 'tile', type: 'button', tabindex: -1, 'data-id': id },
    label,
    figure,
  );
  return { place: h('li', {}, button), button, label, figure, drawn: null, letters: CHANGE.length };
}

export function createFace(options: FaceOptions): Face {
  return new HeatTilesWidget(options, style, own);
}
