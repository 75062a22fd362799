import { formatUnits, unitsToNumber } from '@depthwire/shared';
import type { AttributeName } from '../kinds.ts';
import type { Face, FaceOptions } from '../element.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { NOTHING } from '../core/format.ts';
import {
  commonCurrency,
  currencyOf,
  MarketsWidget,
  noteOf,
  turnoversOf,
  wayOf,
  type Market,
} from '../core/markets.ts';
import { columns, instruments, sort, type TableColumn } from '../core/list-options.ts';
import { rows } from '../core/options.ts';
import { rove, settle } from '../core/rove.ts';
import { fitColumns, sortRows, type Sort } from '../core/market-rows.ts';
import { changeOf } from '../core/widget.ts';

const style = `
.body { display: flex; flex-direction: column; }
.scroll {
  flex: 1 1 calc((var(--_rows) + 1) * (var(--_row) + 1px) + 1px);
  position: relative; min-block-size: 0; padding-inline: calc(var(--_pad) - 0.5em); overflow: hidden auto; scrollbar-width: thin; scrollbar-color: var(--_line) transparent;
}
table { inline-size: 100%; table-layout: fixed; border-collapse: separate; border-spacing: 0; line-height: 1.2; }
th, td { block-size: calc(var(--_row) + 1px); padding: 0 0.5em; text-align: end; font-weight: inherit; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; border-block-end: 1px solid var(--_line); }
tr > :first-child { text-align: start; }
tbody tr:last-child > * { border-block-end-color: transparent; }
thead th { position: sticky; inset-block-start: 0; z-index: 1; background: var(--_ground); color: var(--_text-2); padding-block: 0; }
:host([rows]) { block-size: auto; }
:host([transparent]) thead th { background: var(--depthwire-ground, Canvas); }
thead button { font-size: var(--_small); max-inline-size: 100%; padding: 0.2em 0; border: 0; background: none; cursor: pointer; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; }
thead button:hover, th[aria-sort] button { color: var(--_text); }
th[aria-sort='ascending'] button::before { content: '▲' / ''; }
th[aria-sort='descending'] button::before { content: '▼' / ''; }
th[aria-sort] button::before { font-size: 0.7em; margin-inline-end: 0.35em; }
tbody tr { cursor: pointer; }
tbody tr:hover > * { background: var(--_raised); }
tbody button { max-inline-size: 100%; padding: 0; border: 0; background: none; cursor: pointer; font-weight: 600; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; }
tr.old td, tr.old .up, tr.old .down { color: var(--_text-2); }
[data-note]::after { content: ' · ' attr(data-note); color: var(--_warn); font-size: var(--_small); font-weight: 400; }
.ruler { position: absolute; inset-block-start: 0; inline-size: 100ch; visibility: hidden; pointer-events: none; }
@container depthwire (inline-size < 15em) {
  .scroll { padding-inline: 0.3em; font-size: var(--_small); }
  thead button { font-size: inherit; }
  th, td { padding-inline: 0.3em; }
}
@media print {
  .scroll { overflow: visible; flex-basis: auto; }
}
`;

const own = { instruments, columns, sort, rows: rows(10) };

/** Rows are put in order again no more often than this: those that change places all the time cannot be read. */
const ORDER_EVERY_MS = 2_000;
/** Of a cell's padding, and of the mark of a head, in digits. */
const PADDING = 2;
const MARK = 2;
/** Letters of a head are smaller than digits, and those of a name, which are thick and large, wider. */
const HEAD_SHARE = 0.9;
const NAME_SHARE = 1.25;
/** Of a name something is always seen. */
const LEAST_NAME = 6;

interface Row {
  readonly row: HTMLTableRowElement;
  readonly name: HTMLButtonElement;
  /** Of all columns but the first. */
  readonly cells: ReadonlyMap<TableColumn, HTMLElement>;
  /** Stands where there are no figures. */
  readonly note: HTMLTableCellElement;
  drawn: Market | null;
}

class MarketTableWidget extends MarketsWidget<typeof own> {
  #rows = new Map<string, Row>();
  #heads = new Map<TableColumn, HTMLTableCellElement>();
  #scroll = h('div');
  #group = h('colgroup');
  #body = h('tbody');
  #sizes: ResizeObserver | null = null;
  /** Digits that a column has room for: the most there were, so that none moves when a figure is shorter. */
  readonly #widths = new Map<TableColumn, number>();
  /** Of the table, and of a hundred digits; pixels. */
  #room = 0;
  #ruler = 0;
  /** The sizes that the columns were chosen for; empty where that is to be done again. */
  #fitted = '';
  #orderedAt = -Infinity;
  #isPointed = false;
  #isSorting = false;
  /** That of most, which is not said of each. */
  #currency: string | null = null;

  get #columns(): readonly TableColumn[] {
    return ['instrument', ...this.options.columns.filter((column) => column !== 'instrument')];
  }

  protected build(): void {
    this.release();
    const { say } = this;
    this.#widths.clear();
    this.#fitted = '';
    this.#isPointed = false;
    this.#heads = new Map(
      this.#columns.map((column) => {
        const button = h(
          'button',
          { type: 'button', title: say('sort_by', { column: say(column) }) },
          headOf(say(column)),
        );
        button.addEventListener('click', () => this.#sortBy(column));
        this.#widths.set(column, button.textContent.length * HEAD_SHARE + MARK);
        return [column, h('th', { scope: 'col', part: 'head' }, button)];
      }),
    );
    this.#rows = new Map(this.options.instruments.map((id) => [id, this.#rowOf(id)]));
    this.#body = h('tbody', {}, ...[...this.#rows.values()].map(({ row }) => row));
    this.#group = h('colgroup');
    const head = h('thead', {}, h('tr', {}, ...this.#heads.values()));
    const table = h('table', { part: 'table' }, this.#group, head, this.#body);
    const ruler = h('span', { class: 'ruler' });
    this.#scroll = h('div', { class: 'scroll', part: 'list' }, table, ruler);
    const { rows } = this.options;
    this.#scroll.style.setProperty('--_rows', String(Math.min(rows, this.options.instruments.length)));
    this.body.append(this.#scroll);
    rove(this.#body, 'button');
    settle(this.#body, 'button');
    this.#body.addEventListener('click', ({ target }) => {
      const id = (target as Element).closest('tr')?.dataset.id;
      if (id) this.tellSelected({ instrument: id });
    });
    this.#body.addEventListener('pointerenter', () => (this.#isPointed = true));
    this.#body.addEventListener('pointerleave', () => (this.#isPointed = false));
    this.#sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        if (target === ruler) this.#ruler = contentRect.width;
        else this.#room = contentRect.width;
      }
      this.#fit();
    });
    this.#sizes.observe(this.#scroll);
    this.#sizes.observe(ruler);
    this.#orderedAt = -Infinity;
  }

  protected draw(): void {
    this.#currency = commonCurrency(this.markets);
    this.drawSome((market) => {
      const row = this.#rows.get(market.id);
      const note = noteOf(market);
      if (!row) return;
      const label = this.labelOf(market);
      setText(row.name, label);
      this.#widen('instrument', label.length * NAME_SHARE);
      if (note === null && row.drawn === market) return;
      row.drawn = market;
      setAttribute(row.row, 'class', note === 'old' ? 'old' : null);
      setAttribute(row.name, 'data-note', note === 'old' ? this.noteText(market, note) : null);
      setAttribute(row.row, 'title', this.#aboutOf(market));
      const isKnown = market.ticker !== null;
      if (row.note.isConnected === isKnown) {
        for (const cell of row.cells.values()) cell.parentElement!.hidden = !isKnown;
        if (isKnown) row.note.remove();
        else row.row.append(row.note);
        this.#fitted = '';
      }
      if (!isKnown) setText(row.note, this.noteText(market, note ?? 'waiting'));
      else for (const [column, cell] of row.cells) this.#drawCell(column, cell, market);
    });
    this.#fit();
    this.#order();
  }

  protected override release(): void {
    this.#sizes?.disconnect();
    this.#sizes = null;
  }

  /** Of its own order nothing else depends: heads and what is subscribed stay. */
  override changed(attribute: AttributeName): void {
    if (!this.#isSorting || attribute !== 'sort') super.changed(attribute);
  }

  #sortBy(column: TableColumn): void {
    const { sort: before } = this.options;
    const isSame = before?.column === column;
    const isDescending = isSame ? !before.isDescending : column !== 'instrument';
    this.options = { ...this.options, sort: { column, isDescending } };
    this.#isSorting = true;
    this.host.setAttribute('sort', `${isDescending ? '-' : ''}${column}`);
    this.#isSorting = false;
    this.#orderedAt = -Infinity;
    this.#fitted = '';
    this.redraw();
  }

  #rowOf(id: string): Row {
    const name = h('button', { part: 'name', type: 'button', tabindex: -1 });
    const cells = new Map<TableColumn, HTMLElement>();
    const row = h('tr', { part: 'row', 'data-id': id }, h('th', { scope: 'row' }, name));
    for (const column of this.#columns.slice(1)) {
      const cell = h('span', { class: 'n' });
      cells.set(column, cell);
      row.append(h('td', { part: column }, cell));
    }
    return { row, name, cells, note: h('td', { class: 'muted' }), drawn: null };
  }

  #drawCell(column: TableColumn, cell: HTMLElement, market: Market): void {
    const text = this.#textOf(column, market);
    setText(cell, text);
    // The sign of percent is wider than a digit.
    this.#widen(column, text.length + (column === 'change' ? 1 : 0));
    if (column === 'change') setAttribute(cell, 'class', `n ${wayOf(changeOf(market.ticker!))}`);
  }

  #textOf(column: TableColumn, { instrument, ticker }: Market): string {
    if (!instrument || !ticker || column === 'instrument') return NOTHING;
    const { formats } = this;
    const { tick, lot } = instrument;
    if (column === 'change') return formats.percent(changeOf(ticker));
    if (column === 'turnover') {
      const currency = currencyOf(instrument.quote) === this.#currency ? '' : ` ${instrument.quote}`;
      return formats.compact(ticker.turnover) + currency;
    }
    if (column === 'volume') return formats.compact(Number(formatUnits(ticker.volume, lot)));
    return formats.price(column === 'spread' ? spreadOf(ticker) : ticker[column], tick);
  }

  /** What a row says when it is pointed at. */
  #aboutOf(market: Market): string | null {
    const { instrument, view } = market;
    const note = noteOf(market);
    if (!instrument) return view?.refusal?.message ?? null;
    const words = [instrument.name];
    if (note === 'old') words.push(this.noteText(market, note));
    const { status } = instrument;
    if (status === 'halted' || status === 'closed') words.push(this.say(status));
    return words.join(' · ');
  }

  #widen(column: TableColumn, digits: number): void {
    if (digits <= this.#widths.get(column)!) return;
    this.#widths.set(column, digits);
    this.#fitted = '';
  }

  /** Shows the columns that there is room for, each as wide as what it holds. */
  #fit(): void {
    const sizes = `${this.#room} ${this.#ruler}`;
    if (this.#ruler === 0 || sizes === this.#fitted) return;
    this.#fitted = sizes;
    const { sort } = this.options;
    const columns = this.#columns;
    const digits = columns.map((column) => this.#widths.get(column)! + PADDING);
    const keep = ['instrument', sort?.column ?? 'last', 'last'] as const;
    const room = (this.#room / this.#ruler) * 100;
    const shown = fitColumns(columns, digits, room, keep);
    const sumOf = () =>
      columns.reduce((sum, column, index) => sum + (shown.has(column) ? digits[index]! : 0), 0);
    // A name that is cut is in the title; a figure that is cut is another one.
    digits[0] = Math.max(LEAST_NAME, Math.min(digits[0]!, digits[0]! + room - sumOf()));
    const sum = sumOf();
    this.#group.replaceChildren(
      ...columns.flatMap((column, index) => {
        if (!shown.has(column)) return [];
        const col = h('col');
        col.style.inlineSize = `${(digits[index]! / sum) * 100}%`;
        return col;
      }),
    );
    for (const [column, head] of this.#heads) {
      head.hidden = !shown.has(column);
      const isSorted = sort?.column === column;
      setAttribute(head, 'aria-sort', isSorted ? (sort.isDescending ? 'descending' : 'ascending') : null);
    }
    for (const { cells, note } of this.#rows.values()) {
      note.colSpan = shown.size - 1;
      for (const [column, cell] of cells) cell.parentElement!.hidden = note.isConnected || !shown.has(column);
    }
  }

  /** Puts the rows in order, unless somebody points at one of them. */
  #order(): void {
    const now = performance.now();
    if (now - this.#orderedAt < ORDER_EVERY_MS) return;
    const isAsked = this.#orderedAt === -Infinity;
    if (!isAsked && (this.#isPointed || this.#body.matches(':has(:focus-visible)'))) return;
    this.#orderedAt = now;
    const order = this.#ordered(this.options.sort);
    // Only rows that are not where they should be are moved.
    let at = this.#body.firstElementChild;
    for (const { id } of order) {
      const { row } = this.#rows.get(id) ?? {};
      if (!row) continue;
      if (row === at) at = at.nextElementSibling;
      else this.#body.insertBefore(row, at);
    }
  }

  #ordered(sort: Sort | null): readonly Market[] {
    const { markets } = this;
    if (!sort) return markets;
    return sortRows(markets, this.#valuesOf(sort.column, markets), sort.isDescending, this.formats.locale);
  }

  #valuesOf(column: TableColumn, markets: readonly Market[]): readonly (number | string | null)[] {
    if (column === 'instrument') return markets.map((market) => this.labelOf(market));
    // Yen are no dollars.
    if (column === 'turnover') return turnoversOf(markets);
    return markets.map((market) => valueOf(column, market));
  }
}

/** What is said of 24 hours is in the title. */
const headOf = (label: string) => label.split(',', 1)[0]!;

function spreadOf({ bid, ask }: { readonly bid: number | null; readonly ask: number | null }): number | null {
  return bid === null || ask === null ? null : ask - bid;
}

function valueOf(
  column: Exclude<TableColumn, 'instrument' | 'turnover'>,
  { instrument, ticker }: Market,
): number | null {
  if (!instrument || !ticker) return null;
  if (column === 'change') return changeOf(ticker);
  if (column === 'volume') return unitsToNumber(ticker.volume, instrument.lot);
  const ticks = column === 'spread' ? spreadOf(ticker) : ticker[column];
  return ticks === null ? null : unitsToNumber(ticks, instrument.tick);
}

export function createFace(options: FaceOptions): Face {
  return new MarketTableWidget(options, style, own);
}
