type Listener<Args extends unknown[]> = (...args: Args) => void;

/** Listeners by event name; `on` returns the function that removes its listener. */
export class Emitter<Events extends Record<keyof Events, unknown[]>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener as Listener<never>);
    return () => listeners.delete(listener as Listener<never>);
  }

  /** Whether anybody listens: what costs something to tell can be left untold. */
  protected hears(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** What a listener throws is its own: it goes unhandled, and the others, and whoever tells them, go on. */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    const listeners = this.#listeners.get(name);
    for (const listener of listeners ? [...listeners] : []) {
      try {
        (listener as Listener<Events[Name]>)(...args);
      } catch (error) {
        void Promise.resolve().then(() => {
          throw error;
        });
      }
    }
  }

  protected removeAllListeners(): void {
    this.#listeners.clear();
  }
}
