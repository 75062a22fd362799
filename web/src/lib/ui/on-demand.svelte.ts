import { whenIdle } from '../state/frames.ts';

/** A part of the page whose code comes when it is first wanted; where that fails, it is asked for anew the next time. */
export class OnDemand<Module> {
  #module = $state.raw<Module | null>(null);
  #coming: Promise<Module> | null = null;
  readonly #import: () => Promise<Module>;

  constructor(importIt: () => Promise<Module>) {
    this.#import = importIt;
  }

  /** Null until it is there. */
  get module(): Module | null {
    return this.#module;
  }

  load(): Promise<Module> {
    this.#coming ??= this.#take();
    return this.#coming;
  }

  async #take(): Promise<Module> {
    try {
      return (this.#module = await this.#import());
    } catch (error) {
      this.#coming = null;
      throw error;
    }
  }
}

/** How long after the first book: the chart and the rest of the picture come before. */
const LATER_MS = 1_000;
/** What is loaded unasked, as soon as there is time for it; null once that has begun. */
let later: OnDemand<unknown>[] | null = [];

/** Of what the first picture does without, and the next click may want, server or none. */
export function loadedLater<Module>(importIt: () => Promise<Module>): OnDemand<Module> {
  const part = new OnDemand(importIt);
  if (later) later.push(part);
  else void loadIdly([part]);
  return part;
}

/** Call when the first book is drawn. */
export function loadLater(): void {
  const parts = later ?? [];
  later = null;
  setTimeout(() => void loadIdly(parts), LATER_MS);
}

async function loadIdly(parts: readonly OnDemand<unknown>[]): Promise<void> {
  for (const part of parts) {
    await new Promise<void>(whenIdle);
    // Whoever wants it will ask again.
    await part.load().catch(() => {});
  }
}
