import type { Line } from './entries.ts';

/** Pixels that a pointer moves before it drags. */
const SLOP = 4;

interface Host {
  /** The element that scrolls. */
  list(): HTMLElement | undefined;
  rowHeight(): number;
  /** Where the line is in the list; -1 where it is no longer. */
  indexOf(line: Line<unknown>): number;
  /** To that place among the lines of its group. */
  onDrop(line: Line<unknown>, to: number): void;
}

/** A line of a group that is dragged to another place in it. */
export class RowDrag {
  /** The border between two lines of the list that it would go to; null while nothing is dragged. */
  slot = $state<number | null>(null);

  readonly #host: Host;
  #line: Line<unknown> | null = null;
  #startY = 0;
  /** A pointer that dragged chooses nothing where it is let go. */
  #hasDragged = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** @param line null where what is under the pointer cannot be dragged */
  start(line: Line<unknown> | null, { clientY }: PointerEvent): void {
    this.#line = line;
    this.#startY = clientY;
    this.#hasDragged = false;
  }

  move(event: PointerEvent): void {
    const list = this.#host.list();
    if (!this.#line || !list) return;
    // The button was let go elsewhere.
    if (event.buttons === 0) return this.cancel();
    if (this.slot === null) {
      if (Math.abs(event.clientY - this.#startY) < SLOP) return;
      list.setPointerCapture(event.pointerId);
      this.#hasDragged = true;
    }
    const index = this.#host.indexOf(this.#line);
    if (index === -1) return this.cancel();
    const rowHeight = this.#host.rowHeight();
    const { top, bottom } = list.getBoundingClientRect();
    if (event.clientY < top + rowHeight) list.scrollTop -= rowHeight / 2;
    else if (event.clientY > bottom - rowHeight) list.scrollTop += rowHeight / 2;
    const first = index - this.#line.place;
    const slot = Math.round((event.clientY - top + list.scrollTop) / rowHeight);
    this.slot = Math.min(first + this.#line.of, Math.max(first, slot));
  }

  end(): void {
    const { slot } = this;
    const line = this.#line;
    this.cancel();
    if (slot === null || !line) return;
    const index = this.#host.indexOf(line);
    const to = slot - (index - line.place);
    // Without the line itself, all below it move up by a place.
    const place = to > line.place ? to - 1 : to;
    if (index !== -1 && place !== line.place) this.#host.onDrop(line, place);
  }

  cancel(): void {
    this.slot = null;
    this.#line = null;
  }

  /** Whether a click is the end of a drag. */
  takeClick(): boolean {
    const had = this.#hasDragged;
    this.#hasDragged = false;
    return had;
  }
}
