import * as v from 'valibot';
import { localDecimal } from '../format/locale.ts';
import { m } from '../paraglide/messages.js';

/** What an indicator is worked out of; the words are in saved workspaces. */
export const sources = ['close', 'open', 'high', 'low', 'hl2', 'hlc3', 'ohlc4'] as const;
export type Source = (typeof sources)[number];
/** Slots of the theme: none of them means anything of the data. */
export const lineColours = ['ink', 'blue', 'pink', 'lime', 'sky', 'grey'] as const;
export type LineColour = (typeof lineColours)[number];
const lineStyles = ['solid', 'dashed', 'dotted'] as const;
/** When a VWAP begins anew, by UTC: crypto venues never close, and count their days so. */
export const anchors = ['day', 'week', 'month'] as const;
export type Anchor = (typeof anchors)[number];

const MAX_LENGTH = 1_000;
/** Most indicators of one chart. */
export const MAX_INDICATORS = 12;
/** Heights of panes, as shares of the price's. */
const MIN_HEIGHT = 0.05;
const MAX_HEIGHT = 2;

const id = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/));
const length = (usual: number, least = 1) =>
  v.fallback(v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(MAX_LENGTH)), usual);
const within = (usual: number, least: number, most: number) =>
  v.fallback(v.pipe(v.number(), v.minValue(least), v.maxValue(most)), usual);
const source = v.fallback(v.picklist(sources), 'close');
const style = v.fallback(v.picklist(lineStyles), 'solid');
const colour = (usual: LineColour) => v.fallback(v.picklist(lineColours), usual);
export const paneHeight = (usual: number) => within(usual, MIN_HEIGHT, MAX_HEIGHT);

/** An indicator of a chart as it is saved; what cannot be read of its settings is as at first. */
export const indicatorSchema = v.variant('kind', [
  v.object({ kind: v.literal('sma'), id, length: length(20), source, colour: colour('ink'), style }),
  v.object({ kind: v.literal('ema'), id, length: length(20), source, colour: colour('blue'), style }),
  v.object({
    kind: v.literal('vwap'),
    id,
    anchor: v.fallback(v.picklist(anchors), 'day'),
    colour: colour('pink'),
    style,
  }),
  v.object({
    kind: v.literal('bollinger'),
    id,
    length: length(20, 2),
    deviations: within(2, 0.1, 10),
    source,
    colour: colour('sky'),
    style,
  }),
  v.object({
    kind: v.literal('rsi'),
    id,
    length: length(14, 2),
    source,
    overbought: within(70, 50, 100),
    oversold: within(30, 0, 50),
    colour: colour('ink'),
    style,
    height: paneHeight(0.3),
  }),
  v.object({
    kind: v.literal('macd'),
    id,
    fast: length(12),
    slow: length(26),
    signal: length(9),
    source,
    colour: colour('blue'),
    signalColour: colour('pink'),
    style,
    height: paneHeight(0.3),
  }),
]);

export type Indicator = v.InferOutput<typeof indicatorSchema>;
export type IndicatorKind = Indicator['kind'];
export const indicatorKinds = [
  'sma',
  'ema',
  'vwap',
  'bollinger',
  'rsi',
  'macd',
] as const satisfies IndicatorKind[];

/** One setting, as a form asks for it. */
export type Field = { readonly key: string; readonly label: () => string } & (
  | { readonly type: 'number'; readonly least: number; readonly most: number; readonly step: number }
  | { readonly type: 'choice'; readonly options: Readonly<Record<string, () => string>> }
);

interface Description {
  readonly name: string;
  readonly title: () => string;
  /** Whether it is in a pane of its own, and not over the price. */
  readonly ownPane: boolean;
  /** Of what its values are: the price, or a number of its own. */
  readonly unit: 'price' | 'number';
  /** One for each of its values. */
  readonly lines: readonly (() => string)[];
  readonly fields: readonly Field[];
}

const whole = (key: string, label: () => string, least = 1): Field => ({
  key,
  label,
  type: 'number',
  least,
  most: MAX_LENGTH,
  step: 1,
});
/** What is worked out of several has the name that traders write. */
const sourceNames: Readonly<Record<Source, () => string>> = {
  close: m.source_close,
  open: m.source_open,
  high: m.source_high,
  low: m.source_low,
  hl2: () => 'hl2',
  hlc3: () => 'hlc3',
  ohlc4: () => 'ohlc4',
};
const colourNames: Readonly<Record<LineColour, () => string>> = {
  ink: m.colour_ink,
  blue: m.colour_blue,
  pink: m.colour_pink,
  lime: m.colour_lime,
  sky: m.colour_sky,
  grey: m.colour_grey,
};
const styleNames: Readonly<Record<(typeof lineStyles)[number], () => string>> = {
  solid: m.line_solid,
  dashed: m.line_dashed,
  dotted: m.line_dotted,
};
const anchorNames: Readonly<Record<Anchor, () => string>> = {
  day: m.anchor_day,
  week: m.anchor_week,
  month: m.anchor_month,
};

const sourceField: Field = { key: 'source', label: m.indicator_source, type: 'choice', options: sourceNames };
const colourField = (key: string, label: () => string): Field => ({
  key,
  label,
  type: 'choice',
  options: colourNames,
});
const look: readonly Field[] = [
  colourField('colour', m.indicator_colour),
  { key: 'style', label: m.indicator_line, type: 'choice', options: styleNames },
];
const heightField: Field = {
  key: 'height',
  label: m.indicator_height,
  type: 'number',
  least: MIN_HEIGHT,
  most: MAX_HEIGHT,
  step: 0.05,
};

export const indicatorDescriptions: Readonly<Record<IndicatorKind, Description>> = {
  sma: {
    name: 'SMA',
    title: m.indicator_sma,
    ownPane: false,
    unit: 'price',
    lines: [m.indicator_average],
    fields: [whole('length', m.indicator_length), sourceField, ...look],
  },
  ema: {
    name: 'EMA',
    title: m.indicator_ema,
    ownPane: false,
    unit: 'price',
    lines: [m.indicator_average],
    fields: [whole('length', m.indicator_length), sourceField, ...look],
  },
  vwap: {
    name: 'VWAP',
    title: m.indicator_vwap,
    ownPane: false,
    unit: 'price',
    lines: [m.indicator_average_anchored],
    fields: [{ key: 'anchor', label: m.indicator_anchor, type: 'choice', options: anchorNames }, ...look],
  },
  bollinger: {
    name: 'BB',
    title: m.indicator_bollinger,
    ownPane: false,
    unit: 'price',
    lines: [m.indicator_upper, m.indicator_average, m.indicator_lower],
    fields: [
      whole('length', m.indicator_length, 2),
      { key: 'deviations', label: m.indicator_deviations, type: 'number', least: 0.1, most: 10, step: 0.1 },
      sourceField,
      ...look,
    ],
  },
  rsi: {
    name: 'RSI',
    title: m.indicator_rsi,
    ownPane: true,
    unit: 'number',
    lines: [() => 'RSI'],
    fields: [
      whole('length', m.indicator_length, 2),
      sourceField,
      { key: 'overbought', label: m.indicator_overbought, type: 'number', least: 50, most: 100, step: 1 },
      { key: 'oversold', label: m.indicator_oversold, type: 'number', least: 0, most: 50, step: 1 },
      ...look,
      heightField,
    ],
  },
  macd: {
    name: 'MACD',
    title: m.indicator_macd,
    ownPane: true,
    unit: 'price',
    lines: [() => 'MACD', m.indicator_signal, m.indicator_histogram],
    fields: [
      whole('fast', m.indicator_fast),
      whole('slow', m.indicator_slow),
      whole('signal', m.indicator_signal_length),
      sourceField,
      colourField('colour', m.indicator_colour),
      colourField('signalColour', m.indicator_signal_colour),
      { key: 'style', label: m.indicator_line, type: 'choice', options: styleNames },
      heightField,
    ],
  },
};

/** With the usual settings, and an id that none of the others has. */
export function newIndicator(
  kind: IndicatorKind,
  others: readonly Indicator[],
  more: object = {},
): Indicator {
  let number = 1;
  while (others.some((other) => other.id === `${kind}-${number}`)) number += 1;
  return v.parse(indicatorSchema, { ...more, kind, id: `${kind}-${number}` });
}

/** For people: `EMA 20`, `BB 20 2`, `MACD 12 26 9`. */
export function nameIndicator(indicator: Indicator): string {
  const { name } = indicatorDescriptions[indicator.kind];
  const parts: (string | number)[] = [name];
  if ('length' in indicator) parts.push(indicator.length);
  if (indicator.kind === 'bollinger') parts.push(localDecimal(String(indicator.deviations)));
  if (indicator.kind === 'macd') parts.push(indicator.fast, indicator.slow, indicator.signal);
  if (indicator.kind === 'vwap' && indicator.anchor !== 'day') parts.push(anchorNames[indicator.anchor]());
  if ('source' in indicator && indicator.source !== 'close') parts.push(sourceNames[indicator.source]());
  return parts.join(' ');
}
