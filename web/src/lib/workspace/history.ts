/** Most steps that can be undone. */
const MAX_STEPS = 50;

export interface Step {
  readonly text: string;
  /** Steps of the same key are one. */
  readonly key: string;
  /** What no layout changes by itself. */
  readonly panels: string;
}

/** What was before, and what was undone. */
export class History {
  #past: Step[] = [];
  #future: Step[] = [];
  #present: Step;

  constructor(present: Step) {
    this.#present = present;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  record(next: Step): void {
    if (next.key !== this.#present.key) {
      this.#past.push(this.#present);
      if (this.#past.length > MAX_STEPS) this.#past.shift();
      this.#future = [];
    }
    this.#present = next;
  }

  /** What changes by itself is no step; a panel that comes or goes meanwhile is one. */
  amend(next: Step): void {
    if (next.panels === this.#present.panels) this.#present = next;
    else this.record(next);
  }

  /** @returns what is to be shown; null where nothing was before */
  undo(): string | null {
    return this.#move(this.#past, this.#future);
  }

  redo(): string | null {
    return this.#move(this.#future, this.#past);
  }

  #move(from: Step[], to: Step[]): string | null {
    const next = from.pop();
    if (next === undefined) return null;
    to.push(this.#present);
    this.#present = next;
    return next.text;
  }
}
