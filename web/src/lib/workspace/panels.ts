import type { Component } from 'svelte';
import AlertsPanel from '../panels/alerts/AlertsPanel.svelte';
import Chart from '../panels/chart/Chart.svelte';
import Depth from '../panels/depth/Depth.svelte';
import FeedsPanel from '../panels/feeds/FeedsPanel.svelte';
import InspectorPanel from '../panels/inspector/InspectorPanel.svelte';
import Heatmap from '../panels/heatmap/Heatmap.svelte';
import Ladder from '../panels/ladder/Ladder.svelte';
import Tape from '../panels/tape/Tape.svelte';
import Watchlist from '../panels/watchlist/Watchlist.svelte';
import { m } from '../paraglide/messages.js';
import { type Locale } from '../paraglide/runtime.js';
import type { PanelKind } from './model.ts';

interface PanelDescription {
  readonly title: () => string;
  /** What it is for, in the list of panels. */
  readonly about: () => string;
  /** What the command is called that adds one. */
  readonly add: (inputs?: object, options?: { locale?: Locale }) => string;
  readonly component: Component;
  /** Whether it shows one instrument, which its tab then names. */
  readonly hasInstrument: boolean;
}

/** One line a panel: its folder is in `panels/`. */
export const panelDescriptions: Readonly<Record<PanelKind, PanelDescription>> = {
  watchlist: {
    title: m.panel_watchlist,
    about: m.panel_watchlist_about,
    add: m.panel_watchlist_add,
    component: Watchlist,
    hasInstrument: false,
  },
  chart: {
    title: m.panel_chart,
    about: m.panel_chart_about,
    add: m.panel_chart_add,
    component: Chart,
    hasInstrument: true,
  },
  ladder: {
    title: m.panel_ladder,
    about: m.panel_ladder_about,
    add: m.panel_ladder_add,
    component: Ladder,
    hasInstrument: true,
  },
  depth: {
    title: m.panel_depth,
    about: m.panel_depth_about,
    add: m.panel_depth_add,
    component: Depth,
    hasInstrument: true,
  },
  feeds: {
    title: m.panel_feeds,
    about: m.panel_feeds_about,
    add: m.panel_feeds_add,
    component: FeedsPanel,
    hasInstrument: false,
  },
  inspector: {
    title: m.panel_inspector,
    about: m.panel_inspector_about,
    add: m.panel_inspector_add,
    component: InspectorPanel,
    hasInstrument: true,
  },
  tape: {
    title: m.panel_tape,
    about: m.panel_tape_about,
    add: m.panel_tape_add,
    component: Tape,
    hasInstrument: true,
  },
  heatmap: {
    title: m.panel_heatmap,
    about: m.panel_heatmap_about,
    add: m.panel_heatmap_add,
    component: Heatmap,
    hasInstrument: true,
  },
  alerts: {
    title: m.panel_alerts,
    about: m.panel_alerts_about,
    add: m.panel_alerts_add,
    component: AlertsPanel,
    hasInstrument: true,
  },
};
