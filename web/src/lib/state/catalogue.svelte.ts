import { toDepthwireError, type DepthwireError, type Instrument, type InstrumentId } from '@depthwire/shared';
import type { Connection } from './connection.svelte.ts';
import { fetchInstruments } from './rest.ts';

const RETRY_MS = 2000;

/** The instruments that the server publishes. */
export class Catalogue {
  instruments = $state.raw<readonly Instrument[]>([]);
  /** Whether the list was fetched at least once. */
  isLoaded = $state(false);
  error = $state.raw<DepthwireError | null>(null);

  readonly #byId = $derived(new Map(this.instruments.map((instrument) => [instrument.id, instrument])));
  #isLoading = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  get(id: InstrumentId): Instrument | undefined {
    return this.#byId.get(id);
  }

  /** The instrument of an id or, where but one venue has it, of the name that the list shows; however it is written. */
  named(text: string): Instrument | undefined {
    const wanted = text.trim().toUpperCase();
    const exact = this.instruments.find(({ id }) => id.toUpperCase() === wanted);
    if (exact) return exact;
    const [one, other] = this.instruments.filter(
      ({ id }) => id.slice(id.indexOf(':') + 1).toUpperCase() === wanted,
    );
    return other ? undefined : one;
  }

  /** Loads now, and again after each reconnect: a restarted server may publish others. */
  start(connection: Connection): () => void {
    void this.load();
    const off = connection.client.on('state', (state) => {
      if (state === 'open') void this.load();
    });
    return () => {
      off();
      clearTimeout(this.#retry);
    };
  }

  async load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    clearTimeout(this.#retry);
    try {
      const instruments = await fetchInstruments();
      if (JSON.stringify(instruments) !== JSON.stringify(this.instruments)) this.instruments = instruments;
      this.isLoaded = true;
      this.error = null;
    } catch (error) {
      this.error = toDepthwireError(error);
      this.#retry = setTimeout(() => void this.load(), RETRY_MS);
    } finally {
      this.#isLoading = false;
    }
  }
}
