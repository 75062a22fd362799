import type { Clock, EpochMs, Timer } from '@depthwire/shared';

interface Entry extends Timer {
  readonly dueMs: number;
  /** Timers of the same moment fire in the order they were set. */
  readonly order: number;
  task: (() => void) | null;
}

/**
 * A clock that moves only when told to. Whatever runs on it depends on its inputs alone, so a
 * recording leads to the same states and frames at any speed.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  /** Binary heap, the earliest timer first. */
  readonly #heap: Entry[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): EpochMs {
    return this.#nowMs as EpochMs;
  }

  at(timeMs: number, task: () => void): Timer {
    const entry: Entry = {
      dueMs: Math.max(timeMs, this.#nowMs),
      order: this.#order++,
      task,
      cancel: () => {
        entry.task = null;
      },
    };
    this.#push(entry);
    return entry;
  }

  /** When the next timer is due; null when none is set. */
  nextDueMs(): number | null {
    while (this.#heap[0]?.task === null) this.#pop();
    return this.#heap[0]?.dueMs ?? null;
  }

  /** Fires every timer due up to and at `timeMs`, each at its own time, then stands at `timeMs`. */
  advanceTo(timeMs: number): void {
    for (let due = this.nextDueMs(); due !== null && due <= timeMs; due = this.nextDueMs()) {
      this.#nowMs = Math.max(this.#nowMs, due);
      const { task } = this.#pop();
      task?.();
    }
    this.#nowMs = Math.max(this.#nowMs, timeMs);
  }

  /** Stands at `timeMs` at once, as after a machine's sleep: what was due meanwhile fires once, late. */
  jumpTo(timeMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, timeMs);
    this.advanceTo(this.#nowMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (before(heap[parent]!, entry)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (before(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
