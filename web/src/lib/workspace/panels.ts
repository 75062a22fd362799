import type { Component } from 'svelte';
import { m } from '../paraglide/messages.js';
import { type Locale } from '../paraglide/runtime.js';
import { OnDemand } from '../ui/on-demand.svelte.ts';
import type { PanelKind } from './model.ts';

interface PanelDescription {
  readonly title: () => string;
  /** What it is for, in the list of panels. */
  readonly about: () => string;
  /** What the command is called that adds one. */
  readonly add: (inputs?: object, options?: { locale?: Locale }) => string;
  /** Its component. */
  readonly part: OnDemand<{ default: Component }>;
  /** Whether it shows one instrument, which its tab then names. */
  readonly hasInstrument: boolean;
  /** Whether it draws a book: a first visit is made for that. */
  readonly hasBook?: true;
  /** Whether its code is so much that a first visit loads it when there is a book. */
  readonly comesAfterBook?: true;
}

/** One line a panel: its folder is in `panels/`. */
export const panelDescriptions: Readonly<Record<PanelKind, PanelDescription>> = {
  watchlist: {
    title: m.panel_watchlist,
    about: m.panel_watchlist_about,
    add: m.panel_watchlist_add,
    part: new OnDemand(() => import('../panels/watchlist/Watchlist.svelte')),
    hasInstrument: false,
  },
  chart: {
    title: m.panel_chart,
    about: m.panel_chart_about,
    add: m.panel_chart_add,
    part: new OnDemand(() => import('../panels/chart/Chart.svelte')),
    hasInstrument: true,
    comesAfterBook: true,
  },
  ladder: {
    title: m.panel_ladder,
    about: m.panel_ladder_about,
    add: m.panel_ladder_add,
    part: new OnDemand(() => import('../panels/ladder/Ladder.svelte')),
    hasInstrument: true,
    hasBook: true,
  },
  depth: {
    title: m.panel_depth,
    about: m.panel_depth_about,
    add: m.panel_depth_add,
    part: new OnDemand(() => import('../panels/depth/Depth.svelte')),
    hasInstrument: true,
    hasBook: true,
  },
  feeds: {
    title: m.panel_feeds,
    about: m.panel_feeds_about,
    add: m.panel_feeds_add,
    part: new OnDemand(() => import('../panels/feeds/FeedsPanel.svelte')),
    hasInstrument: false,
  },
  inspector: {
    title: m.panel_inspector,
    about: m.panel_inspector_about,
    add: m.panel_inspector_add,
    part: new OnDemand(() => import('../panels/inspector/InspectorPanel.svelte')),
    hasInstrument: true,
  },
  tape: {
    title: m.panel_tape,
    about: m.panel_tape_about,
    add: m.panel_tape_add,
    part: new OnDemand(() => import('../panels/tape/Tape.svelte')),
    hasInstrument: true,
  },
  heatmap: {
    title: m.panel_heatmap,
    about: m.panel_heatmap_about,
    add: m.panel_heatmap_add,
    part: new OnDemand(() => import('../panels/heatmap/Heatmap.svelte')),
    hasInstrument: true,
  },
  alerts: {
    title: m.panel_alerts,
    about: m.panel_alerts_about,
    add: m.panel_alerts_add,
    part: new OnDemand(() => import('../panels/alerts/AlertsPanel.svelte')),
    hasInstrument: true,
  },
};
