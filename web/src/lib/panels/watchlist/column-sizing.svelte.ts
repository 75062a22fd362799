import { rangeOf, resized, withoutWidth, type SizedColumn, type Widths } from './columns.ts';

interface Now {
  /** What the longest name takes, pixels. */
  readonly nameWidth: number;
  readonly em: number;
  readonly columns: { readonly widths: Widths; readonly least: Widths };
}

/** Widths of columns while they are changed by hand, and where they are kept after it. */
export class ColumnSizing {
  /** Those of a drag that has not ended: only its end is saved. */
  #dragged = $state.raw<Widths | null>(null);
  readonly #settings: { widths: Widths };
  readonly #now: () => Now;
  readonly #grid: () => HTMLElement | undefined;

  constructor(settings: { widths: Widths }, now: () => Now, grid: () => HTMLElement | undefined) {
    this.#settings = settings;
    this.#now = now;
    this.#grid = grid;
  }

  get widths(): Widths {
    return this.#dragged ?? this.#settings.widths;
  }

  /** @param before what the column and the names had, pixels */
  readonly resize = (
    column: SizedColumn,
    to: number,
    before: { readonly width: number; readonly name: number },
    isDone: boolean,
  ): void => {
    const longest = this.#now().nameWidth;
    const next = resized(this.#settings.widths, column, to, { ...before, longest });
    this.#dragged = isDone ? null : next;
    if (isDone) this.#settings.widths = next;
  };

  /** As wide as what is drawn of it; a line of the day has no width of its own. */
  readonly fit = (column: SizedColumn): void => {
    this.#dragged = null;
    if (column === 'spark') {
      this.#settings.widths = withoutWidth(this.#settings.widths, column);
      return;
    }
    const {
      columns: { widths, least: narrowest },
      em,
    } = this.#now();
    const before = { width: widths[column] ?? 0, name: widths.name ?? 0 };
    const { least, most } = rangeOf(before.width, narrowest[column] ?? 0, before.name, em);
    const content = this.#contentWidth(column);
    this.resize(column, Math.min(most, Math.max(least, content)), before, true);
  };

  /** Asked for once, by hand: it reads the layout of all cells that are drawn. */
  #contentWidth(column: SizedColumn): number {
    const range = document.createRange();
    let widest = 0;
    for (const cell of this.#grid()?.querySelectorAll(`[data-cell="${column}"]`) ?? []) {
      range.selectNodeContents(cell);
      // The tint of a change is as wide as the cell.
      const tint = cell.querySelector('.flash');
      if (tint) range.setEndBefore(tint);
      widest = Math.max(widest, range.getBoundingClientRect().width);
    }
    return Math.ceil(widest);
  }
}
