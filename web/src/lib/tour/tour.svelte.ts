import type { Preferences } from '../state/preferences.svelte.ts';
import { phone } from '../ui/phone.ts';
import { deskSteps, phoneSteps, type TourStep } from './steps.ts';

/** A walk through what the page shows, offered once. The page goes on meanwhile, and can be used. */
export class Tour {
  readonly #preferences: Preferences;
  #steps = $state.raw<readonly TourStep[]>([]);
  #index = $state(0);

  constructor(preferences: Preferences) {
    this.#preferences = preferences;
  }

  get isOffered(): boolean {
    return this.#preferences.offersTour && this.step === null;
  }

  /** Null while there is none. */
  get step(): TourStep | null {
    return this.#steps[this.#index] ?? null;
  }

  /** From 1. */
  get number(): number {
    return this.#index + 1;
  }

  get count(): number {
    return this.#steps.length;
  }

  begin(): void {
    this.#preferences.offersTour = false;
    const isThere = ({ target }: TourStep) => document.querySelector(target)?.checkVisibility() ?? false;
    this.#steps = (phone.current ? phoneSteps : deskSteps).filter(isThere);
    this.#index = 0;
  }

  /** Ends after the last. */
  go(by: 1 | -1): void {
    this.#index = Math.max(0, this.#index + by);
    if (this.step === null) this.end();
  }

  end(): void {
    this.#preferences.offersTour = false;
    this.#steps = [];
  }
}
