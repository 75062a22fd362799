import type { SerializedDockview } from 'dockview';
import { linkColours, MAIN_LINK, type PanelData, type PanelKind, type WorkspaceData } from './model.ts';

/** A panel, by its kind alone or with what differs from the usual. */
type Spec = PanelKind | ({ kind: PanelKind } & Partial<PanelData>);

/** Shares of a row or a column; rows and columns take turns, beginning with a row. */
type Tree = { readonly share: number } & (
  { readonly tabs: readonly Spec[] } | { readonly split: readonly Tree[] }
);

const tabs = (share: number, ...panels: Spec[]): Tree => ({ share, tabs: panels });
const split = (share: number, ...parts: Tree[]): Tree => ({ share, split: parts });

export interface Preset {
  readonly id: string;
  readonly name: string;
  /** What it is for. */
  readonly about: string;
  tree(width: number): readonly Tree[];
}

const NARROW = 1_180;

const chartOf = (index: number): Spec => ({ kind: 'chart', link: linkColours[index]! });

export const presets: readonly Preset[] = [
  {
    id: 'trading',
    name: 'Trading',
    about: 'Watchlist, chart, depth, order book, trades',
    tree: (width) =>
      width < NARROW
        ? [
            split(28, tabs(55, 'watchlist'), tabs(45, 'tape')),
            split(44, tabs(66, 'chart'), tabs(34, 'depth')),
            tabs(28, 'ladder'),
          ]
        : [
            tabs(Math.min(412, 0.29 * width), 'watchlist'),
            split(width - Math.min(412, 0.29 * width) - 524, tabs(62, 'chart'), tabs(38, 'depth')),
            tabs(280, 'ladder'),
            tabs(244, 'tape'),
          ],
  },
  {
    id: 'instrument',
    name: 'One instrument',
    about: 'Everything about one instrument, and no list',
    tree: () => [split(56, tabs(64, 'chart'), tabs(36, 'depth')), tabs(24, 'ladder'), tabs(20, 'tape')],
  },
  {
    id: 'scalping',
    name: 'Scalping',
    about: 'A tall order book, trades and a fast chart',
    tree: () => [
      tabs(26, 'ladder'),
      tabs(22, 'tape'),
      split(52, tabs(58, { kind: 'chart', settings: { interval: '1s' } }), tabs(42, 'depth')),
    ],
  },
  {
    id: 'monitoring',
    name: 'Monitoring',
    about: 'Four charts of their own instruments beside the watchlist',
    tree: () => [
      tabs(26, 'watchlist'),
      split(37, tabs(50, chartOf(0)), tabs(50, chartOf(1))),
      split(37, tabs(50, chartOf(2)), tabs(50, chartOf(3))),
    ],
  },
];

/** @param size of the room that there is, pixels: what is saved fits another too */
export function fromPreset(
  preset: Preset,
  { width, height }: { readonly width: number; readonly height: number },
): WorkspaceData {
  const panels: Record<string, PanelData> = {};
  const views: SerializedDockview['panels'] = {};
  let groups = 0;
  const add = (spec: Spec): string => {
    const { kind, ...rest } = typeof spec === 'string' ? { kind: spec } : spec;
    let number = 1;
    while (panels[`${kind}-${number}`]) number += 1;
    const id = `${kind}-${number}`;
    panels[id] = { kind, link: MAIN_LINK, instrument: null, settings: {}, ...rest };
    views[id] = { id, contentComponent: 'panel' };
    return id;
  };
  const nodeOf = (tree: Tree, size: number, across: number): object => {
    if ('tabs' in tree) {
      const ids = tree.tabs.map(add);
      return { type: 'leaf', size, data: { id: String((groups += 1)), views: ids, activeView: ids[0] } };
    }
    return { type: 'branch', size, data: nodesOf(tree.split, across, size) };
  };
  const nodesOf = (trees: readonly Tree[], along: number, across: number): object[] => {
    const total = trees.reduce((sum, { share }) => sum + share, 0);
    return trees.map((tree) => nodeOf(tree, (tree.share / total) * along, across));
  };
  const root = { type: 'branch', size: height, data: nodesOf(preset.tree(width), width, height) };
  const layout = { grid: { root, width, height, orientation: 'HORIZONTAL' }, panels: views };
  return {
    name: preset.name,
    links: {},
    panels,
    layout: layout as unknown as SerializedDockview,
  };
}
