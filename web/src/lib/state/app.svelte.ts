import type { BookView, ClientView, InstrumentId, TradesView } from '@depthwire/shared';
import { dev } from '$app/env';
import { createContext, untrack } from 'svelte';
import { Crosshairs } from '../chart/crosshairs.ts';
import { Alerts } from '../alerts/alerts.svelte.ts';
import { m } from '../paraglide/messages.js';
import { Tour } from '../tour/tour.svelte.ts';
import type { Docking } from '../workspace/docking.ts';
import { MAIN_LINK } from '../workspace/model.ts';
import { workspaceIn } from '../workspace/share.ts';
import type { PanelState, Workspace } from '../workspace/workspace.svelte.ts';
import { Workspaces } from '../workspace/workspaces.svelte.ts';
import { Catalogue } from './catalogue.svelte.ts';
import { WallClock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { InstrumentGroups } from './groups.svelte.ts';
import { Install } from './install.svelte.ts';
import type { Market } from './market.svelte.ts';
import { Markets } from './markets.svelte.ts';
import { Preferences } from './preferences.svelte.ts';
import { storage } from './storage.svelte.ts';
import { Watchlist } from './watchlist.svelte.ts';

/**
 * For tests alone, and read-only: an end-to-end test compares the checksum of the book that the
 * page holds with the one that the server holds, which the drawn rows do not show in full.
 */
interface DebugHandle {
  readonly client: ClientView;
  bookSubscription(): BookView | null;
  tradesSubscription(): TradesView | null;
}

declare global {
  var __depthwire: DebugHandle | undefined;
}

/** All state of the page, in one place; components take it with `getApp`. */
export class App {
  readonly clock = new WallClock();
  readonly preferences = new Preferences();
  /** The server's WebSocket. */
  readonly url: string;
  readonly connection: Connection;
  readonly catalogue = new Catalogue();
  readonly markets: Markets;
  readonly watchlist: Watchlist;
  readonly groups = new InstrumentGroups();
  readonly workspaces: Workspaces;
  readonly crosshairs = new Crosshairs();
  readonly alerts: Alerts;
  readonly tour = new Tour(this.preferences);
  readonly install = new Install();
  #dock = $state.raw<Docking | null>(null);
  /** What was asked for before panels dock, and where. */
  #onDock: { readonly workspace: Workspace; run(dock: Docking): void } | null = null;
  /** While the palette is open: the panel that its instruments are for, null for the header. */
  search = $state.raw<{ readonly panel: PanelState | null } | null>(null);
  isSheetOpen = $state(false);
  /** An instrument that was asked for and does not exist. */
  missing = $state<InstrumentId | null>(null);
  readonly #market = $derived.by(() => this.markets.get(this.selectedId));

  /** @param wanted the instrument of the header to begin with; null for the one of last time */
  constructor(url: string, wanted: InstrumentId | null, size: () => { width: number; height: number }) {
    this.url = url;
    this.connection = new Connection(url);
    this.markets = new Markets(this.connection, this.catalogue);
    const timeMs = () => this.market?.timeMs(Date.now()) ?? this.connection.timeMs(Date.now());
    this.watchlist = new Watchlist(this.connection, timeMs, this.markets.firstBook);
    const { connection, catalogue, markets } = this;
    this.alerts = new Alerts({ connection, catalogue, markets, timeMs });
    this.workspaces = new Workspaces(this.groups, size);
    this.workspaces.notice ??= this.groups.problem;
    if (wanted !== null) this.workspaces.current.links[MAIN_LINK] = wanted;
  }

  /** Where panels dock; null on a phone, and until it is there. */
  get dock(): Docking | null {
    return this.#dock;
  }

  set dock(dock: Docking | null) {
    this.#dock = dock;
    const waiting = this.#onDock;
    this.#onDock = null;
    if (dock && waiting?.workspace === this.workspaces.current) waiting.run(dock);
  }

  /** At once, or as soon as the panels of the same workspace dock; what was asked for last counts. */
  whenDocked(run: (dock: Docking) => void): void {
    if (this.#dock) run(this.#dock);
    else this.#onDock = { workspace: this.workspaces.current, run };
  }

  /** The instrument of the header, and of all panels of the first colour. */
  get selectedId(): InstrumentId | null {
    return this.workspaces.current.links[MAIN_LINK] ?? null;
  }

  /** Null until the server has told of it. */
  get market(): Market | null {
    return this.#market;
  }

  /** Call while a component is made; returns how to stop. */
  start(): () => void {
    this.preferences.keep();
    this.workspaces.keep();
    $effect(() => {
      if (storage.hasFailed) untrack(() => (this.workspaces.notice ??= m.storage_failed()));
    });
    $effect(() => this.#keepSelection());
    $effect(() => {
      const { instruments } = this.catalogue;
      untrack(() => {
        this.watchlist.show(instruments);
        this.alerts.sync();
      });
    });
    // Untracked: what starts reads and writes signals, and must not start over when they change.
    const stops = untrack(() => [
      this.clock.start(),
      this.markets.start(),
      this.watchlist.start(),
      this.groups.start(),
      this.alerts.start(),
      this.install.start(),
      this.catalogue.start(this.connection),
      this.connection.start(),
    ]);
    void this.#takeShared();
    void this.markets.firstBook.then(keepForOffline);
    globalThis.__depthwire = Object.freeze({
      client: this.connection.client,
      bookSubscription: () => this.market?.book ?? null,
      tradesSubscription: () => this.market?.trades ?? null,
    });
    return () => {
      for (const stop of stops) stop();
      globalThis.__depthwire = undefined;
    };
  }

  /** Shows another instrument in a panel and in all that follow it, or in the header and its panels. */
  select(id: InstrumentId, panel: PanelState | null = null): void {
    this.markets.onChoose();
    const { current } = this.workspaces;
    if (panel) {
      current.select(panel, id);
      return;
    }
    this.missing = null;
    current.links[MAIN_LINK] = id;
  }

  /** Opens the palette, its instruments for a panel, or for the header that it follows. */
  openSearch(panel: PanelState | null = this.dock?.chosen ?? null): void {
    this.search = { panel: panel?.link === MAIN_LINK ? null : panel };
  }

  /** There is always an instrument that exists. */
  #keepSelection(): void {
    const { instruments } = this.catalogue;
    if (instruments.length === 0) return;
    const { links } = this.workspaces.current;
    for (const [link, id] of Object.entries(links) as [keyof typeof links, InstrumentId | null][]) {
      if (!id || this.catalogue.get(id)) continue;
      this.missing = id;
      links[link] = link === MAIN_LINK ? instruments[0]!.id : null;
    }
    links[MAIN_LINK] ??= instruments[0]!.id;
    // Panels of another colour begin with an instrument that is not shown yet.
    for (const { link } of this.workspaces.current.panels.values()) {
      if (link === null || links[link]) continue;
      const shown = new Set(Object.values(links));
      links[link] = instruments.find(({ id }) => !shown.has(id))?.id ?? null;
      if (!links[link]) break;
    }
  }

  /** A link that somebody shared opens as one more workspace. */
  async #takeShared(): Promise<void> {
    try {
      const shared = await workspaceIn(location.hash);
      if (shared === null) return;
      history.replaceState(history.state, '', location.pathname + location.search);
      this.workspaces.notice = null;
      const { name } = this.workspaces.take(shared);
      this.workspaces.notice ??= m.workspace_from_link({ name });
    } catch (error) {
      this.workspaces.notice = (error as Error).message;
    }
  }
}

/** Has the browser keep the page's files, which takes time from what is drawn: last of all. */
async function keepForOffline(): Promise<void> {
  if (dev || !('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('/service-worker.js');
  } catch {
    // not over TLS, or not allowed here: the page does without
  }
}

export const [getApp, setApp] = createContext<App>();
