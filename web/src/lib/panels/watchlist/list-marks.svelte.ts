import type { InstrumentId } from '@depthwire/shared';
import { between, type Entry, type Line } from './entries.ts';

/** Lines that something is done with together, and the line that the keyboard is on. */
export class ListMarks {
  /** Keys of lines. */
  all = $state.raw<ReadonlySet<string>>(new Set());
  /** Key of the line that was last reached by hand. */
  cursor = $state<string | null>(null);
  /** Where a range begins. */
  #anchor: string | null = null;

  /** The line that the keyboard is on: the one that was reached, or else the one that is chosen. */
  indexIn(entries: readonly Entry<unknown>[], chosen: InstrumentId | null): number {
    const at = entries.findIndex(({ key }) => key === this.cursor);
    return at === -1 ? entries.findIndex((one) => one.type === 'line' && one.id === chosen) : at;
  }

  /** Another instrument was chosen: the keyboard goes with it, if it was not on a header. */
  follow(entries: readonly Entry<unknown>[], chosen: InstrumentId | null): void {
    const entry = entries.find(({ key }) => key === this.cursor);
    if (entry?.type === 'line' && entry.id !== chosen) this.cursor = null;
  }

  /** The keyboard goes to a line, and nothing is marked any more. */
  goTo(key: string): void {
    this.cursor = key;
    this.#anchor = key;
    if (this.all.size > 0) this.all = new Set();
  }

  /** Marks a line, or no longer; what the keyboard is on is marked with the first. */
  toggle(line: Line<unknown>, at: Entry<unknown> | undefined): void {
    const next = new Set(this.all);
    if (next.size === 0 && at?.type === 'line' && at.key !== line.key) next.add(at.key);
    if (!next.delete(line.key)) next.add(line.key);
    this.all = next;
    this.#anchor = line.key;
  }

  /** Marks all from where the range begins to a line, which the keyboard goes to. */
  extend(entries: readonly Entry<unknown>[], from: number, to: number): void {
    const anchor = entries.findIndex(({ key }) => key === this.#anchor);
    const begin = anchor === -1 ? Math.max(0, from) : anchor;
    this.#anchor = entries[begin]?.key ?? null;
    this.all = new Set(between(entries, begin, to).map(({ key }) => key));
    this.cursor = entries[to]?.key ?? null;
  }

  clear(): void {
    this.all = new Set();
  }

  /** The instruments that something is done with where it is asked for at a line. */
  of(entries: readonly Entry<unknown>[], line: Line<unknown>): InstrumentId[] {
    if (!this.all.has(line.key)) return [line.id];
    const ids = entries.filter((one) => one.type === 'line' && this.all.has(one.key)) as Line<unknown>[];
    return [...new Set(ids.map(({ id }) => id))];
  }
}
