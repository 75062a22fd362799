import type { Instrument, InstrumentId } from '@depthwire/shared';
import type { Catalogue } from './catalogue.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import { whenIdle } from './frames.ts';
import { Market } from './market.svelte.ts';

/** What waits for the first book waits no longer than this. */
const FIRST_BOOK_MS = 1500;
/** Markets that nobody looks at and that are remembered all the same. */
const MAX_IDLE = 32;
/** Selections that follow each other faster (a held arrow key) wait for the last of them. */
const SETTLE_MS = 150;

/** A market for each instrument that a panel shows: all panels of it share its subscriptions. */
export class Markets {
  /** The first book is drawn and the page has time again, or none came: what is heavy and can wait follows. */
  readonly firstBook: Promise<void>;
  #tellFirstBook: () => void = () => {};
  readonly #connection: Connection;
  readonly #catalogue: Catalogue;
  readonly #byId = new Map<InstrumentId, Market>();
  /** When somebody chose an instrument, by `performance.now`. */
  #chosenAtMs = -Infinity;
  #isHasty = false;

  constructor(connection: Connection, catalogue: Catalogue) {
    this.#connection = connection;
    this.#catalogue = catalogue;
    this.firstBook = new Promise((resolve) => {
      this.#tellFirstBook = () => whenIdle(resolve);
    });
  }

  start(): () => void {
    const overdue = setTimeout(this.#tellFirstBook, FIRST_BOOK_MS);
    return () => {
      clearTimeout(overdue);
      for (const market of this.#byId.values()) market.close();
      this.#byId.clear();
    };
  }

  /** Null while the catalogue has no such instrument. */
  get(id: InstrumentId | null): Market | null {
    const instrument = id === null ? undefined : this.#catalogue.get(id);
    if (!instrument) return null;
    return this.#byId.get(instrument.id) ?? this.#add(instrument);
  }

  /** An instrument is chosen by hand: what is chosen right after another waits whether it is the last. */
  onChoose(): void {
    const now = performance.now();
    this.#isHasty = now - this.#chosenAtMs < SETTLE_MS;
    this.#chosenAtMs = now;
  }

  #add(instrument: Instrument): Market {
    const market = new Market(this.#connection, instrument, {
      onFirstBook: () => this.#tellFirstBook(),
      opensAfterMs: () => (this.#isHasty ? SETTLE_MS : 0),
    });
    this.#byId.set(instrument.id, market);
    this.#forget();
    return market;
  }

  #forget(): void {
    const idle = [...this.#byId.values()].filter((market) => !market.isUsed);
    for (const market of idle.slice(0, Math.max(0, idle.length - MAX_IDLE))) {
      market.close();
      this.#byId.delete(market.instrument.id);
    }
  }
}
