import type { SerializedDockview } from 'dockview';
import { m } from '../paraglide/messages.js';
import { type Locale } from '../paraglide/runtime.js';
import { linkColours, MAIN_LINK, type PanelData, type PanelKind, type WorkspaceData } from './model.ts';

/** A panel, by its kind alone or with what differs from the usual. */
type Spec = PanelKind | ({ kind: PanelKind } & Partial<PanelData>);

/** Shares of a row or a column; rows and columns take turns, beginning with a row. */
type Tree = { readonly share: number } & (
  { readonly tabs: readonly Spec[] } | { readonly split: readonly Tree[] }
);

const tabs = (share: number, ...panels: Spec[]): Tree => ({ share, tabs: panels });
const split = (share: number, ...parts: Tree[]): Tree => ({ share, split: parts });

type Message = (inputs?: object, options?: { locale?: Locale }) => string;

export interface Preset {
  readonly id: string;
  readonly name: Message;
  /** What it is for. */
  readonly about: Message;
  tree(width: number): readonly Tree[];
}

const NARROW = 1_180;

const chartOf = (index: number): Spec => ({ kind: 'chart', link: linkColours[index]! });

export const presets: readonly Preset[] = [
  {
    id: 'trading',
    name: m.preset_trading,
    about: m.preset_trading_about,
    tree: (width) => {
      if (width < NARROW)
        return [
          split(28, tabs(55, 'watchlist'), tabs(45, 'tape')),
          split(44, tabs(66, 'chart'), tabs(34, 'depth')),
          tabs(28, 'ladder'),
        ];
      // As wide as their numbers are; of a wall of screens they get their share.
      const list = Math.max(Math.min(412, 0.29 * width), 0.13 * width);
      const ladder = Math.max(280, 0.13 * width);
      const tape = Math.max(256, 0.11 * width);
      return [
        tabs(list, 'watchlist'),
        split(width - list - ladder - tape, tabs(62, 'chart'), tabs(38, 'depth')),
        tabs(ladder, 'ladder'),
        tabs(tape, 'tape'),
      ];
    },
  },
  {
    id: 'instrument',
    name: m.preset_instrument,
    about: m.preset_instrument_about,
    tree: () => [split(56, tabs(64, 'chart'), tabs(36, 'depth')), tabs(24, 'ladder'), tabs(20, 'tape')],
  },
  {
    id: 'scalping',
    name: m.preset_scalping,
    about: m.preset_scalping_about,
    tree: () => [
      tabs(26, 'ladder'),
      tabs(22, 'tape'),
      split(52, tabs(58, { kind: 'chart', settings: { interval: '1s' } }), tabs(42, 'depth')),
    ],
  },
  {
    id: 'liquidity',
    name: m.preset_liquidity,
    about: m.preset_liquidity_about,
    tree: () => [
      split(58, tabs(62, 'heatmap'), tabs(38, { kind: 'chart', settings: { interval: '1s' } })),
      tabs(22, 'ladder'),
      tabs(20, 'tape'),
    ],
  },
  {
    id: 'monitoring',
    name: m.preset_monitoring,
    about: m.preset_monitoring_about,
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
    let end = 0;
    let shares = 0;
    return trees.map((tree) => {
      const begin = end;
      shares += tree.share;
      // Whole pixels, as the docking library has them.
      end = Math.round((shares / total) * along);
      return nodeOf(tree, end - begin, across);
    });
  };
  const root = { type: 'branch', size: height, data: nodesOf(preset.tree(width), width, height) };
  const layout = { grid: { root, width, height, orientation: 'HORIZONTAL' }, panels: views };
  return {
    name: preset.name(),
    links: {},
    panels,
    layout: layout as unknown as SerializedDockview,
  };
}
