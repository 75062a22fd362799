import { unitsToNumber, type Instrument, type Trade, type TradesView } from '@depthwire/shared';
import { sizeFormat, type SizeFormat } from '../../lib/format/size-format.ts';
import { steadyScale } from '../../lib/format/steady.ts';
import { PointerHold } from '../../lib/panels/tape/pointer-hold.ts';
import type { Face, FaceOptions } from '../element.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { instrument, label, minSize, notation, rows } from '../core/options.ts';
import { cell, head, row, table, tableStyle } from '../core/table.ts';
import { TradeRows, type TradeRow } from '../core/trade-rows.ts';
import { Widget } from '../core/widget.ts';
import type { WidgetClient } from '../core/wire.ts';

const style = `${tableStyle}
.body { display: flex; flex-direction: column; }
.list { position: relative; flex: 1 1 auto; min-block-size: 0; display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr); --_columns: minmax(max-content, 1fr) minmax(max-content, 1fr) minmax(max-content, 1fr); }
.rows .buy { --_side: var(--_up); }
.rows .sell { --_side: var(--_down); }
.price { color: var(--_side); }
.heads .price { color: inherit; }
.time { color: var(--_text-2); }
.arrow { display: inline-block; inline-size: 1.4em; font-size: 0.7em; vertical-align: 0.1em; }
.sums { grid-column: 1 / -1; text-align: start; color: var(--_warn); font-size: var(--_small); overflow: hidden; text-overflow: ellipsis; }
.sums span { color: var(--_text-2); }
td[hidden] { display: none; }
.held { position: absolute; inset-block-start: 0; inset-inline: 0; inline-size: fit-content; margin-inline: auto; z-index: 1; padding: 0.1em 0.9em; border: 1px solid var(--_warn); border-radius: 1em; background: var(--_ground); color: var(--_warn); font-size: var(--_small); white-space: nowrap; cursor: pointer; }
.held[hidden] { display: none; }
@container depthwire (inline-size < 17em) {
  .list { --_columns: minmax(max-content, 1fr) minmax(max-content, 1fr); }
  .time, .sums span { display: none; }
}
@media print { .bar { print-color-adjust: exact; } }
`;

const own = { instrument, label, rows: rows(10), 'min-size': minSize, notation };
const arrows = { buy: '▲', sell: '▼' } as const;

interface Cells {
  readonly element: HTMLElement;
  readonly bar: HTMLElement;
  readonly arrow: HTMLElement;
  readonly side: HTMLElement;
  readonly price: HTMLElement;
  readonly size: HTMLElement;
  readonly time: HTMLElement;
  readonly sums: HTMLElement;
}

class TradesWidget extends Widget<typeof own> {
  readonly #name = h('span', { class: 'name', part: 'name' });
  readonly #hold = new PointerHold((isHeld) => this.#setHeld(isHeld));
  #held = h('button');
  #none = h('caption');
  #cells: Cells[] = [];
  #units: { price: HTMLElement; size: HTMLElement } | null = null;
  #view: TradesView | null = null;
  #trades = new TradeRows(0, () => true);
  /** What is shown while the list is held still; null while it goes on. */
  #still: { readonly rows: readonly TradeRow[]; readonly added: number } | null = null;
  /** The size that a whole bar stands for, lots. */
  #top: number | null = null;

  protected build(): void {
    const { say } = this;
    this.#top = null;
    this.#cells = Array.from({ length: this.options.rows }, makeRow);
    const units = { price: h('span', { class: 'unit' }), size: h('span', { class: 'unit' }) };
    this.#units = units;
    this.#none = h('caption', { class: 'none', hidden: true });
    const built = table(
      { 'aria-label': say('trades'), part: 'list' },
      [
        head({ class: 'price' }, say('price'), units.price),
        head({ class: 'size' }, say('size'), units.size),
        head({ class: 'time' }, say('time')),
      ],
      this.#cells.map(({ element }) => element),
    );
    built.prepend(this.#none);
    this.#held = h('button', { type: 'button', class: 'held controls', part: 'held', hidden: true });
    this.#held.onclick = this.#hold.release;
    const list = h('div', { class: 'list' }, built, this.#held);
    list.onpointerenter = this.#hold.enter;
    list.onpointermove = this.#hold.move;
    list.onpointerleave = this.#hold.leave;
    this.body.append(h('div', { class: 'head', part: 'header' }, this.#name), list);
  }

  protected subscribe(client: WidgetClient): void {
    const { instrument, rows, 'min-size': least } = this.options;
    this.#still = null;
    const isLarge = ({ size }: Trade) => {
      const { lot } = this.#view?.instrument ?? {};
      return least === null || (lot !== undefined && unitsToNumber(size, lot) >= Number(least));
    };
    this.#trades = new TradeRows(rows, isLarge);
    const view = client.trades(instrument!, this.cadence);
    this.#view = view;
    this.follow(view, () => {
      this.#trades.take(view);
      const last = view.trades.at(-1);
      if (view.instrument && last) this.tellPrice(view.instrument, { last: last.price });
    });
    // Trades do not say how good they are.
    this.follow(client.status(instrument!, this.cadence));
  }

  protected override release(): void {
    this.#hold.leave();
  }

  protected draw(): void {
    const { instrument, hasData } = this.#view!;
    if (!instrument || !hasData) return;
    const { formats, say } = this;
    setText(this.#name, this.nameOf(instrument));
    setText(this.#units!.price, ` ${instrument.quote}`);
    setText(this.#units!.size, ` ${instrument.base}`);
    const waiting = this.#still === null ? 0 : this.#trades.added - this.#still.added;
    this.#held.hidden = waiting === 0;
    setText(this.#held, say('held', { count: String(waiting) }));
    const { rows } = this.#still ?? this.#trades;
    const largest = rows.reduce((most, { trade }) => Math.max(most, trade?.size ?? 0), 1);
    this.#top = steadyScale(this.#top, largest);
    const format = sizeFormat(instrument, rows.find(({ trade }) => trade)?.trade?.price ?? null, this.#top);
    this.#cells.forEach((cells, index) => this.#drawRow(cells, rows[index] ?? null, instrument, format));
    this.#none.hidden = rows.length > 0;
    const least = this.options['min-size'];
    const none =
      least === null
        ? say('no_trades')
        : say('no_large_trades', { size: `${formats.decimal(least, digitsOf(least))} ${instrument.base}` });
    setText(this.#none, none);
  }

  protected describe(): string | null {
    const { instrument, trades } = this.#view ?? {};
    const last = trades?.at(-1);
    if (!instrument || !last) return null;
    const { formats, say } = this;
    return say('trades_text', {
      name: this.nameOf(instrument),
      side: say(last.side),
      size: `${formats.size(last.size, instrument.lot)} ${instrument.base}`,
      price: formats.price(last.price, instrument.tick),
    });
  }

  #drawRow(cells: Cells, shown: TradeRow | null, { tick, lot }: Instrument, format: SizeFormat): void {
    const { formats, say } = this;
    const { trade, sums } = shown ?? { trade: null, sums: null };
    const { element } = cells;
    setAttribute(element, 'class', trade?.side ?? null);
    setAttribute(element, 'part', `row ${trade?.side ?? ''}`.trim());
    setText(cells.arrow, trade ? arrows[trade.side] : '');
    setText(cells.side, trade ? `${say(trade.side)} ` : '');
    setText(cells.price, trade ? formats.price(trade.price, tick) : '');
    setText(cells.size, trade ? formats.sizeIn(format, trade.size, lot) : '');
    setText(cells.time, trade ? formats.time(trade.timeMs) : '');
    cells.bar.style.setProperty('--_share', trade ? Math.min(1, trade.size / this.#top!).toFixed(3) : '0');
    if (cells.sums.hidden !== (sums === null)) {
      for (const one of element.children) (one as HTMLElement).hidden = sums !== null;
      cells.sums.hidden = sums === null;
    }
    if (!sums) return;
    const size = (lots: number) => formats.sizeIn(format, lots, lot);
    const [missed, count] = [formats.decimal(String(sums.missed), 0), formats.decimal(String(sums.count), 0)];
    const about = [
      say('bought', { size: size(sums.bought) }),
      say('sold', { size: size(sums.sold) }),
      say('range', { low: formats.price(sums.low, tick), high: formats.price(sums.high, tick) }),
    ].join(' · ');
    const said = say('merged_row', { missed, count });
    const [first, rest] = cells.sums.childNodes;
    setText(first!, said);
    setText(rest!, ` · ${about}`);
    setAttribute(cells.sums, 'title', `${said} · ${about}. ${say('merged_about')}`);
  }

  #setHeld(isHeld: boolean): void {
    if (isHeld === (this.#still !== null)) return;
    this.#still = isHeld ? { rows: this.#trades.rows, added: this.#trades.added } : null;
    this.redraw();
  }
}

function makeRow(): Cells {
  const cells = {
    bar: h('i', { class: 'bar', part: 'bar' }),
    arrow: h('span', { class: 'arrow', 'aria-hidden': 'true' }),
    side: h('span', { class: 'hidden' }),
    price: h('span', { class: 'n' }),
    size: h('span', { class: 'n' }),
    time: h('span', { class: 'n' }),
    sums: cell(
      { class: 'sums', part: 'merged', colspan: 3, 'aria-colspan': 3, hidden: true },
      document.createTextNode(''),
      h('span'),
    ),
  };
  const element = row(
    { part: 'row' },
    cell({ class: 'price', part: 'price' }, cells.bar, cells.arrow, cells.side, cells.price),
    cell({ class: 'size', part: 'size' }, cells.size),
    cell({ class: 'time', part: 'time' }, cells.time),
    cells.sums,
  );
  return { element, ...cells };
}

const digitsOf = (decimal: string) => decimal.split('.')[1]?.length ?? 0;

export function createFace(options: FaceOptions): Face {
  return new TradesWidget(options, style, own);
}
