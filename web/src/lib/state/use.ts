import { createSubscriber } from 'svelte/reactivity';

/** What nobody needs any more is closed after so long: a panel that moves needs it again at once. */
const LINGER_MS = 500;

/** Something that is open while anybody needs it. */
export class Use {
  readonly #open: () => void;
  readonly #close: () => void;
  readonly #track: () => void;
  #holders = 0;
  #isOpen = false;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(open: () => void, close: () => void) {
    this.#open = open;
    this.#close = close;
    this.#track = createSubscriber(() => this.hold());
  }

  /** Opens it; returns how to let it go. */
  hold(): () => void {
    this.#holders += 1;
    clearTimeout(this.#closing);
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#open();
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#closing = setTimeout(() => this.end(), LINGER_MS);
    };
  }

  /** Holds it as long as the effect lives in which this is called; elsewhere it does nothing. */
  track(): void {
    this.#track();
  }

  get isHeld(): boolean {
    return this.#holders > 0;
  }

  /** Closes it at once, whoever holds it. */
  end(): void {
    clearTimeout(this.#closing);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#close();
  }
}
