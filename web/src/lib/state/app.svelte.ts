import type { BookSubscription, DepthwireClient } from '@depthwire/shared';
import { createContext, untrack } from 'svelte';
import { Catalogue } from './catalogue.svelte.ts';
import { WallClock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { Market } from './market.svelte.ts';
import { Preferences } from './preferences.svelte.ts';
import { Watchlist } from './watchlist.svelte.ts';

/**
 * For tests alone, and read-only: an end-to-end test compares the checksum of the book that the
 * page holds with the one that the server holds, which the drawn rows do not show in full.
 */
interface DebugHandle {
  readonly client: DepthwireClient;
  bookSubscription(): BookSubscription | null;
}

declare global {
  var __depthwire: DebugHandle | undefined;
}

/** All state of the page, in one place; components take it with `getApp`. */
export class App {
  readonly clock = new WallClock();
  readonly preferences = new Preferences();
  readonly connection: Connection;
  readonly catalogue = new Catalogue();
  readonly market: Market;
  readonly watchlist: Watchlist;
  /** An instrument that was asked for and does not exist. */
  missing = $state<string | null>(null);
  selectedId = $state<string | null>(null);

  constructor(url: string, wanted: string | null) {
    this.connection = new Connection(url);
    this.market = new Market(this.connection);
    this.watchlist = new Watchlist(
      this.connection,
      () => this.market.timeMs(Date.now()),
      this.market.firstBook,
    );
    this.selectedId = wanted ?? this.preferences.instrument;
  }

  /** Call while a component is made; returns how to stop. */
  start(): () => void {
    this.preferences.keep();
    // The book is asked for first, and the list after it.
    $effect(() => this.#followSelection());
    $effect(() => {
      const { instruments } = this.catalogue;
      untrack(() => this.watchlist.show(instruments));
    });
    // Untracked: what starts reads and writes signals, and must not start over when they change.
    const stops = untrack(() => [
      this.clock.start(),
      this.market.start(),
      this.watchlist.start(),
      this.catalogue.start(this.connection),
      this.connection.start(),
    ]);
    globalThis.__depthwire = Object.freeze({
      client: this.connection.client,
      bookSubscription: () => this.market.book,
    });
    return () => {
      for (const stop of stops) stop();
      globalThis.__depthwire = undefined;
    };
  }

  select(id: string): void {
    this.missing = null;
    this.selectedId = id;
    this.preferences.instrument = id;
  }

  #followSelection(): void {
    const { instruments } = this.catalogue;
    if (instruments.length === 0) return;
    const wanted = this.selectedId;
    const instrument = (wanted === null ? undefined : this.catalogue.get(wanted)) ?? instruments[0]!;
    if (wanted !== null && wanted !== instrument.id) this.missing = wanted;
    this.selectedId = instrument.id;
    untrack(() => {
      if (this.market.instrument?.id !== instrument.id) this.market.select(instrument);
    });
  }
}

export const [getApp, setApp] = createContext<App>();
