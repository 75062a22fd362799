import { tick } from 'svelte';
import type { OnDemand } from './on-demand.svelte.ts';

/**
 * What an element does by code that is loaded later. Who comes near it begins that, and what was done to it before the
 * code was there is done once more then. Make it while a component is made.
 */
export class LateHandlers<Module> {
  /** What the code wants to be spread on the element; null until it is there. */
  props = $state.raw<Record<string, unknown> | null>(null);
  readonly #part: OnDemand<Module>;
  readonly #onFail: () => void;
  #isWanted = $state(false);
  #early: Event | null = null;

  /** @param onFail after somebody did something, and the code could not be loaded */
  constructor(part: OnDemand<Module>, onFail: () => void) {
    this.#part = part;
    this.#onFail = onFail;
    $effect(() => {
      // Svelte adds what listens to pointers a little after what it draws.
      if (this.props) void tick().then(() => this.#replay());
    });
  }

  /** Null until it is wanted, and there. */
  get module(): Module | null {
    return this.#isWanted ? this.#part.module : null;
  }

  readonly want = (): void => {
    this.#isWanted = true;
    this.#part.load().catch(() => {
      if (this.#early) this.#onFail();
      this.#early = null;
    });
  };

  press(event: Event): void {
    this.#early = event;
    this.want();
  }

  /** What began has ended before the code was there. */
  readonly release = (): void => {
    this.#early = null;
  };

  #replay(): void {
    const event = this.#early;
    this.#early = null;
    if (!event) return;
    const Kind = event.constructor as new (type: string, init: EventInit) => Event;
    event.target?.dispatchEvent(new Kind(event.type, event));
  }
}
