import { bookOf } from '../core/books.ts';
import { formatUnits, type BookView, type Instrument } from '@depthwire/shared';
import { decimalsOfStep } from '../../lib/format/scales.ts';
import { sizeFormat } from '../../lib/format/size-format.ts';
import { steadyScale } from '../../lib/format/steady.ts';
import { createLadderSide, type LadderSide } from '../../lib/panels/ladder/ladder-rows.ts';
import type { Face, FaceOptions } from '../element.ts';
import { depthFor, fillRows } from '../core/book-levels.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { group, instrument, label, notation, rows } from '../core/options.ts';
import { cell, head, row, table, tableStyle } from '../core/table.ts';
import { Widget } from '../core/widget.ts';
import type { WidgetClient } from '../core/wire.ts';

const style = `${tableStyle}
.body { display: flex; flex-direction: column; }
.verified { flex: none; color: var(--_text-2); font-size: var(--_small); visibility: hidden; }
.verified[data-on] { visibility: visible; }
.sides { flex: 1 1 auto; min-block-size: 0; display: grid; grid-template: auto minmax(0, 1fr) auto minmax(0, 1fr) / minmax(0, 1fr); --_columns: minmax(max-content, 1.2fr) minmax(0, 1fr) minmax(0, 1fr); }
.side { position: relative; }
.asks { --_side: var(--_down); grid-row: 1 / 3; grid-template-rows: subgrid; }
.bids { --_side: var(--_up); grid-row: 4; grid-template-rows: minmax(0, 1fr); }
.asks .rows { flex-direction: column-reverse; }
.bids thead { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.middle { grid-row: 3; display: flex; gap: 0.6em; align-items: baseline; padding: 0.25em var(--_pad); margin-block: 0.2em; border-block: 1px solid var(--_line); font-size: var(--_small); color: var(--_text-2); white-space: nowrap; }
.middle .n { color: var(--_text); }
.middle .n + .n { color: var(--_text-2); margin-inline-start: auto; }
button { padding: 0; border: 0; background: none; color: var(--_side); cursor: pointer; font-variant-numeric: inherit; }
button::after { content: ''; position: absolute; inset: 0; }
button[hidden] { display: none; }
button:focus-visible { outline: none; }
.rows tr { overflow: clip; }
.rows tr:hover { background: var(--_raised); }
.rows tr:has(:focus-visible) { outline: 2px solid var(--_accent); outline-offset: -2px; border-radius: 4px; }
.total { color: var(--_text-2); }
tr::before { content: ''; position: absolute; inset: 0; z-index: -1; background: var(--_side); opacity: 0; }
tr[data-flash='a']::before { animation: flash-a 500ms ease-out; }
tr[data-flash='b']::before { animation: flash-b 500ms ease-out; }
@keyframes flash-a { from { opacity: 0.1; } }
@keyframes flash-b { from { opacity: 0.1; } }
@container depthwire (inline-size < 22em) { .verified .word { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); } }
@container depthwire (inline-size < 17em) {
  .sides { --_columns: minmax(max-content, 1fr) minmax(max-content, 1fr); }
  .total { display: none; }
  .middle { padding-inline: calc(var(--_pad) * 0.6); }
  .middle .n + .n { display: none; }
  .middle .n { margin-inline-start: auto; }
}
@container depthwire (inline-size >= 40em) {
  .sides { grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1fr); }
  .side { grid-row: 2 / 4; grid-template-rows: subgrid; }
  .asks { grid-column: 2; --_columns: minmax(max-content, 1fr) minmax(0, 1fr) minmax(0, 1fr); }
  .bids { grid-column: 1; --_columns: minmax(0, 1fr) minmax(0, 1fr) minmax(max-content, 1fr); }
  .asks .rows { flex-direction: column; }
  .asks .bar { inset-inline: 0 auto; }
  .bids thead { position: static; inline-size: auto; block-size: auto; clip-path: none; }
  .bids .price { order: 2; text-align: end; }
  .bids .size { order: 1; }
  .bids .total { order: 0; text-align: start; }
  .middle { grid-row: 1; grid-column: 1 / -1; justify-content: center; margin-block: 0 0.3em; }
  .middle .n + .n { margin-inline-start: 0; }
}
@media print { .bar { print-color-adjust: exact; } }
`;

const own = { instrument, label, rows: rows(10), group, notation };
const sides = ['ask', 'bid'] as const;
type Side = (typeof sides)[number];
const names = { ask: 'asks', bid: 'bids' } as const;

interface Row {
  readonly element: HTMLElement;
  readonly price: HTMLButtonElement;
  readonly size: HTMLElement;
  readonly total: HTMLElement;
  readonly bar: HTMLElement;
}

class OrderBookWidget extends Widget<typeof own> {
  readonly #name = h('span', { class: 'name', part: 'name' });
  #verified = h('span');
  #spread = h('span');
  #spreadBps = h('span');
  #rows: Record<Side, Row[]> = { ask: [], bid: [] };
  #none: Partial<Record<Side, HTMLElement>> = {};
  #units: { readonly price: HTMLElement[]; readonly size: HTMLElement[] } = { price: [], size: [] };
  #levels: Record<Side, LadderSide> = { ask: createLadderSide(0), bid: createLadderSide(0) };
  /** Sizes of the last drawing, by price. */
  #drawn: Record<Side, Map<number, number> | null> = { ask: null, bid: null };
  #view: BookView | null = null;
  /** The total that a whole bar stands for, lots. */
  #top: number | null = null;

  protected build(): void {
    const { say } = this;
    this.#verified = h('span', { class: 'verified end', part: 'verified' }, '✓ ');
    this.#verified.append(h('span', { class: 'word' }, say('verified')));
    this.#spread = h('span', { class: 'n' });
    this.#spreadBps = h('span', { class: 'n' });
    this.#drawn = { ask: null, bid: null };
    this.#top = null;
    this.#units = { price: [], size: [] };
    const grid = h('div', { class: 'sides' });
    for (const side of sides) {
      this.#levels[side] = createLadderSide(this.options.rows);
      grid.append(this.#buildSide(side));
      if (side === 'ask')
        grid.append(
          h('div', { class: 'middle', part: 'spread' }, say('spread'), this.#spread, this.#spreadBps),
        );
    }
    grid.onclick = ({ target }) => this.#choose(target);
    grid.onkeydown = (event) => this.#onKey(event);
    this.body.append(h('div', { class: 'head', part: 'header' }, this.#name, this.#verified), grid);
  }

  protected subscribe(client: WidgetClient): void {
    const { instrument, rows, group } = this.options;
    const depth = depthFor(rows, group);
    this.#view = this.follow(bookOf(client, instrument!, { depth, ...this.cadence }), () => {
      const { instrument: known, book } = this.#view ?? {};
      if (known && book) this.tellPrice(known, { bid: book.bestBid, ask: book.bestAsk });
    });
  }

  protected draw(): void {
    const { instrument, book, granted, replica, hasData } = this.#view!;
    if (!instrument || !hasData) return;
    const { formats, say } = this;
    const { rows, group: step } = this.options;
    setText(this.#name, this.nameOf(instrument));
    setAttribute(this.#verified, 'data-on', replica.verified > 0 ? '' : null);
    setAttribute(this.#verified, 'title', say('verified_about', { count: String(replica.verified) }));
    for (const unit of this.#units.price) setText(unit, ` ${instrument.quote}`);
    for (const unit of this.#units.size) setText(unit, ` ${instrument.base}`);
    const { bestBid, bestAsk } = book;
    const spread = bestBid === null || bestAsk === null ? null : bestAsk - bestBid;
    setText(this.#spread, formats.price(spread, instrument.tick));
    const bps = spread === null ? null : (spread / ((bestAsk! + bestBid!) / 2)) * 10_000;
    setText(this.#spreadBps, bps === null ? '' : say('bps', { value: formats.figures(bps) }));
    let largest = 1;
    for (const side of sides) {
      const levels = this.#levels[side];
      const from = side === 'ask' ? book.asks : book.bids;
      fillRows(levels, from, side, { step, rows, granted: granted?.depth ?? null });
      if (levels.count > 0) largest = Math.max(largest, levels.total[levels.count - 1]!);
    }
    this.#top = steadyScale(this.#top, largest);
    for (const side of sides) this.#drawSide(side, instrument);
    this.#keepReachable();
  }

  protected describe(): string | null {
    const { instrument, book, hasData } = this.#view ?? {};
    if (!instrument || !book || !hasData) return null;
    const { bestBid, bestAsk } = book;
    const price = (ticks: number | null) => this.formats.price(ticks, instrument.tick);
    return this.say('book_text', {
      name: this.nameOf(instrument),
      bid: price(bestBid),
      ask: price(bestAsk),
      spread: price(bestBid === null || bestAsk === null ? null : bestAsk - bestBid),
    });
  }

  #buildSide(side: Side): HTMLElement {
    const { say } = this;
    const heads = (['price', 'size', 'total'] as const).map((name) => {
      const unit = h('span', { class: 'unit' });
      this.#units[name === 'price' ? 'price' : 'size'].push(unit);
      return head({ class: name }, say(name), unit);
    });
    const made = Array.from({ length: this.options.rows }, (_, rank): Row => {
      const price = h('button', {
        ...{ type: 'button', class: 'n', tabindex: '-1', hidden: true },
        ...{ 'data-side': side, 'data-rank': rank },
      });
      const size = h('span', { class: 'n' });
      const total = h('span', { class: 'n' });
      const bar = h('i', { class: 'bar', part: 'bar' });
      const element = row(
        { part: `row ${side}` },
        cell({ class: 'price', part: 'price' }, bar, price),
        cell({ class: 'size', part: 'size' }, size),
        cell({ class: 'total', part: 'total' }, total),
      );
      return { element, price, size, total, bar };
    });
    this.#rows[side] = made;
    const none = h('caption', { class: 'none', hidden: true }, say('no_levels'));
    this.#none[side] = none;
    const rows = made.map(({ element }) => element);
    const built = table(
      { class: `side ${names[side]}`, part: names[side], 'aria-label': say(names[side]) },
      heads,
      rows,
    );
    built.prepend(none);
    return built;
  }

  #drawSide(side: Side, { tick, lot }: Instrument): void {
    const { formats } = this;
    const levels = this.#levels[side];
    const before = this.#drawn[side];
    const now = new Map<number, number>();
    const format = sizeFormat({ tick, lot }, levels.count > 0 ? levels.price[0]! : null, this.#top!);
    const decimals = decimalsOfStep(this.options.group, tick);
    this.#rows[side].forEach(({ element, price, size, total, bar }, rank) => {
      const isThere = rank < levels.count;
      const ticks = levels.price[rank]!;
      const lots = levels.lots[rank]!;
      if (isThere) now.set(ticks, lots);
      setText(price, isThere ? formats.price(ticks, tick, decimals) : '');
      if (price.hidden === isThere) price.hidden = !isThere;
      setText(size, isThere ? formats.sizeIn(format, lots, lot) : '');
      setText(total, isThere ? formats.sizeIn(format, levels.total[rank]!, lot) : '');
      const share = isThere ? (levels.total[rank]! / this.#top!).toFixed(3) : '0';
      bar.style.setProperty('--_share', share);
      if (isThere && before && before.get(ticks) !== lots)
        // Two of the same look: to change from one to the other is to begin anew.
        setAttribute(element, 'data-flash', element.dataset['flash'] === 'a' ? 'b' : 'a');
    });
    this.#drawn[side] = now;
    this.#none[side]!.hidden = levels.count > 0;
  }

  #choose(target: EventTarget | null): void {
    const button = target instanceof Element && target.closest('button');
    const { instrument } = this.#view ?? {};
    if (!button || !instrument) return;
    const side = button.dataset['side'] as Side;
    const ticks = this.#levels[side].price[Number(button.dataset['rank'])]!;
    this.#moveTo(button);
    this.tellSelected({ instrument: instrument.id, price: formatUnits(ticks, instrument.tick), side });
  }

  /** Arrows go to what is seen there, however the sides lie. */
  #onKey(event: KeyboardEvent): void {
    const from = event.target as HTMLElement;
    const way = ways[event.key as keyof typeof ways];
    if (!way || from.localName !== 'button' || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const start = middleOf(from);
    let nearest: HTMLElement | null = null;
    let least = Infinity;
    for (const button of this.#buttons) {
      const { x, y } = middleOf(button);
      const [along, beside] = [
        (x - start.x) * way[0] + (y - start.y) * way[1],
        Math.abs((x - start.x) * way[1]) + Math.abs((y - start.y) * way[0]),
      ];
      const distance = along + 4 * beside;
      if (along > 1 && distance < least && this.#isShown(button)) [nearest, least] = [button, distance];
    }
    if (nearest) {
      this.#moveTo(nearest);
      nearest.focus({ preventScroll: true });
    }
  }

  get #buttons(): HTMLButtonElement[] {
    return sides.flatMap((side) => this.#rows[side].map(({ price }) => price));
  }

  /** Neither empty, nor in the column of those for which there is no room. */
  #isShown(button: HTMLElement): boolean {
    if (button.hidden) return false;
    const inner = button.closest('tr')!.getBoundingClientRect();
    const outer = button.closest('tbody')!.getBoundingClientRect();
    return inner.left < outer.right - 1 && inner.right > outer.left + 1;
  }

  /** Of all rows one is reached by the tabulator. */
  #moveTo(button: HTMLElement): void {
    for (const one of this.#buttons) setAttribute(one, 'tabindex', one === button ? '0' : '-1');
  }

  #keepReachable(): void {
    const buttons = this.#buttons;
    if (buttons.some(({ tabIndex, hidden }) => tabIndex === 0 && !hidden)) return;
    const first = buttons.find(({ hidden }) => !hidden);
    if (first) this.#moveTo(first);
  }
}

const ways = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] } as const;

function middleOf(element: Element): { readonly x: number; readonly y: number } {
  // Of the row: prices of a side may be of different lengths.
  const { left, width, top, height } = element.closest('tr')!.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

export function createFace(options: FaceOptions): Face {
  return new OrderBookWidget(options, style, own);
}
