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
import type { PanelKind } from './model.ts';

interface PanelDescription {
  readonly title: string;
  /** What it is for, in the list of panels. */
  readonly about: string;
  readonly component: Component;
  /** Whether it shows one instrument, which its tab then names. */
  readonly hasInstrument: boolean;
}

/** One line a panel: its folder is in `panels/`. */
export const panelDescriptions: Readonly<Record<PanelKind, PanelDescription>> = {
  watchlist: {
    title: 'Watchlist',
    about: 'All instruments, live',
    component: Watchlist as Component,
    hasInstrument: false,
  },
  chart: { title: 'Chart', about: 'Candles and volume', component: Chart, hasInstrument: true },
  ladder: { title: 'Order book', about: 'Levels of both sides', component: Ladder, hasInstrument: true },
  depth: { title: 'Depth', about: 'Cumulative size by price', component: Depth, hasInstrument: true },
  feeds: {
    title: 'Feeds',
    about: 'How good each feed is',
    component: FeedsPanel,
    hasInstrument: false,
  },
  inspector: {
    title: 'Inspector',
    about: 'Frames of the protocol, decoded',
    component: InspectorPanel,
    hasInstrument: true,
  },
  tape: { title: 'Time and sales', about: 'Trades as they happen', component: Tape, hasInstrument: true },
  heatmap: {
    title: 'Liquidity heatmap',
    about: 'What rested where in the past hour',
    component: Heatmap,
    hasInstrument: true,
  },
  alerts: {
    title: 'Alerts',
    about: 'What is watched for, and what went off',
    component: AlertsPanel,
    hasInstrument: true,
  },
};
