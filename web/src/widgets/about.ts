import type { Topic } from '@depthwire/shared';
import * as lists from './core/list-options.ts';
import * as options from './core/options.ts';
import { commonOptions, type Option } from './core/options.ts';
import type { AttributeName, commonAttributes, Kind, ownAttributes } from './kinds.ts';
import type { WidgetEvents } from './types.ts';

// What the widgets are, in words: for the page where they are put together, and for docs/embedding.md. No widget carries it.

export interface KindAbout {
  readonly title: string;
  /** A sentence. */
  readonly shows: string;
  /** What a publishable key has to grant for it. */
  readonly topics: readonly Topic[];
  /** Levels a side that a key should grant, where it shows more than the 20 that it grants by itself. */
  readonly levels?: number;
  /** Of a box where it looks right, pixels; without a width it is as wide as its place. */
  readonly size: { readonly width?: number; readonly height: number };
}

export const aboutKinds: Readonly<Record<Kind, KindAbout>> = {
  ticker: {
    title: 'Ticker',
    shows: 'The last price of an instrument, how it changed in 24 hours, and the figures that you choose.',
    topics: ['ticker'],
    size: { height: 80 },
  },
  'ticker-tape': {
    title: 'Ticker tape',
    shows: 'A band of prices that moves past, and stands still while somebody points at it.',
    topics: ['ticker'],
    size: { height: 48 },
  },
  'mini-chart': {
    title: 'Mini chart',
    shows: 'The price over time, as an area, a line or candles.',
    topics: ['candles', 'ticker'],
    size: { height: 280 },
  },
  'order-book': {
    title: 'Order book',
    shows: 'Bids and asks with their sizes and sums, and the spread between them.',
    topics: ['book'],
    levels: 100,
    size: { height: 480 },
  },
  depth: {
    title: 'Depth chart',
    shows: 'How much is bid and asked up to each price.',
    topics: ['book'],
    levels: 500,
    size: { height: 320 },
  },
  trades: {
    title: 'Trades',
    shows: 'The latest trades with price, size, side and time.',
    topics: ['trades', 'status'],
    size: { height: 360 },
  },
  'market-table': {
    title: 'Market table',
    shows: 'Several instruments in a table with the columns that you choose.',
    topics: ['ticker'],
    size: { height: 360 },
  },
  'heat-tiles': {
    title: 'Heat tiles',
    shows: 'Several instruments as tiles, coloured by how they changed in 24 hours.',
    topics: ['ticker'],
    size: { height: 320 },
  },
  'symbol-overview': {
    title: 'Symbol overview',
    shows: 'Ticker, chart and depth of one instrument in one frame.',
    topics: ['ticker', 'candles', 'book'],
    levels: 500,
    size: { height: 560 },
  },
  status: {
    title: 'Status badge',
    shows: 'Whether the data of an instrument is live, delayed or old.',
    topics: ['status', 'ticker'],
    size: { width: 220, height: 32 },
  },
};

/** What each attribute does, in a sentence; core/options.ts has what it may hold. */
export const aboutAttributes: Readonly<Record<AttributeName, string>> = {
  server: 'The Depthwire server, where it is not the one that the script comes from.',
  key: 'A publishable key, which the server binds to origins, instruments and topics.',
  worker:
    'A script of the page’s own origin that runs `worker.js` of the widgets, so that its pages share one connection.',
  theme: 'Light, dark, or as the page around it is.',
  transparent: 'Lets the ground of the page be seen.',
  locale: 'The language of words and numbers, where it is not the one of the page.',
  'time-zone': 'The time zone of times, where it is not the reader’s.',
  source: 'Who is named in the foot as the source.',
  'source-url': 'Where the source in the foot leads.',
  cadence: 'The least time between two updates, milliseconds.',
  background: 'Keeps the data coming while the widget is out of sight.',
  instrument: 'What it shows, by its id.',
  instruments: 'What it shows, by ids with spaces between them.',
  label: 'What the instrument is called, where it is not by its currencies.',
  interval: 'The time that one candle stands for.',
  type: 'How the price is drawn.',
  candles: 'How many candles are shown.',
  rows: 'How many rows there are; of an order book, a side.',
  group: 'How many ticks one row of prices stands for.',
  span: 'How far to either side of the middle the picture goes, basis points: 100 are one percent; by itself as far as is of interest.',
  measure: 'Whether sums are in the base currency (size) or in money (value).',
  'min-size': 'Trades below this size are left out.',
  columns: 'The columns, in their order.',
  sort: 'The column that rows are sorted by; with - before it, the largest first.',
  'size-by': 'What the area of a tile stands for.',
  fields: 'The figures beside the price, in their order.',
  speed: 'How fast the band moves, pixels a second; 0 lets it stand.',
  notation: 'Whether large numbers are written out, or short: 1.2K.',
};

const ownOptions: Readonly<Record<keyof typeof ownAttributes, Option<unknown>>> = {
  instrument: options.instrument,
  instruments: lists.instruments,
  label: options.label,
  interval: options.interval,
  type: options.type,
  candles: options.candles,
  // Of each kind that has them.
  rows: options.rows(10),
  group: options.group,
  span: options.span,
  measure: options.measure,
  'min-size': options.minSize,
  columns: lists.columns,
  sort: lists.sort,
  'size-by': lists.sizeBy,
  fields: options.fields,
  speed: lists.speed,
  notation: options.notation,
};

/** How each attribute is read: what it may hold, and what holds where it is left out. */
export const optionTable: Readonly<Record<AttributeName, Option<unknown>>> = {
  ...(commonOptions satisfies Record<keyof typeof commonAttributes, Option<unknown>>),
  ...ownOptions,
};

/** What there is to choose from; empty where that is nothing in particular. */
export function valuesOf(name: AttributeName): readonly string[] {
  if (name === 'sort') return lists.tableColumns.flatMap((column) => [column, `-${column}`]);
  return optionTable[name].values ?? [];
}

type DetailOf<Name extends keyof WidgetEvents> = WidgetEvents[Name]['detail'];

/** What events tell, and what is in their details. */
export const aboutEvents: {
  readonly [Name in keyof WidgetEvents]: {
    readonly when: string;
    readonly detail: Readonly<Record<keyof DetailOf<Name>, string>>;
  };
} = {
  'dw-price': {
    when: 'A price that the widget shows is another one.',
    detail: {
      instrument: 'The id of the instrument.',
      last: 'The last price, an exact decimal; null where there is none.',
      bid: 'The best bid, an exact decimal; null where there is none.',
      ask: 'The best ask, an exact decimal; null where there is none.',
      change: 'How the price changed in 24 hours, a share: 0.01 is one percent; null where it is not known.',
    },
  },
  'dw-state': {
    when: 'What the widget says of its data is another thing.',
    detail: {
      state:
        '`connecting`, `syncing`, `live`, `stale`, `recovering`, `offline` (the server does not answer), `refused` (the server does not permit it) or `failed` (it is set up wrongly).',
      origin:
        '`live`, `bridged`, `delayed`, `replayed` or `simulated`: where the data comes from; null before there is any.',
      isConflated: 'Whether updates come merged, because the connection does not keep up.',
      reason: 'Why, in words; null where there is nothing to say.',
      error: '`code`, `message` and `retry` of what went wrong; null where nothing did.',
    },
  },
  'dw-select': {
    when: 'Somebody chose a price or an instrument.',
    detail: {
      instrument: 'The id of the instrument.',
      price: 'The price, an exact decimal, where one was chosen.',
      side: '`bid` or `ask`, where a price was chosen.',
    },
  },
};

/** What a page can style from outside, by `::part(name)`. */
export const aboutParts: Readonly<Record<string, string>> = {
  frame: 'The whole, with its ground and edge.',
  body: 'All above the foot.',
  footer: 'The foot.',
  state: 'What it says of its data, in the foot.',
  credit: 'Whose work is in the picture, in the foot.',
  source: 'The source, in the foot.',
  message: 'What it says instead of data.',
  header: 'The line above a picture or a list.',
  name: 'What the instrument is called; among the fields of a ticker, its full name.',
  price: 'The last price.',
  change: 'How the price changed in 24 hours.',
  fields: 'The figures beside the price of a ticker.',
  bid: 'The best bid among the fields.',
  ask: 'The best ask among the fields.',
  spread: 'The spread among the fields.',
  high: 'The highest price of 24 hours among the fields.',
  low: 'The lowest price of 24 hours among the fields.',
  volume: 'The volume of 24 hours among the fields.',
  chart: 'The picture of a mini chart; of an overview, its mini chart.',
  readout: 'The figures at the pointer.',
  ticker: 'The ticker of an overview, whose own parts are `ticker-body`, `ticker-price` and so on.',
  depth: 'The depth chart of an overview, whose own parts are `depth-body`, `depth-header`.',
  span: 'How far to either side a depth chart goes.',
  'bid-total': 'How much is bid in a depth chart.',
  'ask-total': 'How much is asked in a depth chart.',
  'bid-reading': 'What rests on the bids up to the pointer.',
  'ask-reading': 'What rests on the asks up to the pointer.',
  asks: 'The side of the asks of an order book.',
  bids: 'The side of the bids of an order book.',
  row: 'A row of a book, a list of trades or a table; in a book also `bid` or `ask`.',
  bar: 'The bar of a row: how much that is beside the others.',
  size: 'A size.',
  total: 'The sum of the sizes up to a row.',
  verified: 'That the book was compared with the server’s checksums and found right.',
  time: 'When a trade was.',
  merged: 'The row that stands for trades of which only sums came.',
  held: 'What says that a list is held still, and lets it go on.',
  list: 'The rows of trades or of a table.',
  table: 'The table of markets.',
  head: 'A heading of the table.',
  instrument: 'The name of a market in the table.',
  last: 'Its last price there.',
  turnover: 'Its turnover of 24 hours there.',
  tiles: 'All tiles.',
  tile: 'A tile.',
  strip: 'The band of a ticker tape.',
  item: 'A market on the band.',
  toggle: 'What lets the band stand or go on.',
  age: 'How old the data of a badge is, or how long its connection takes.',
};

export interface VariableAbout {
  readonly is: string;
  /** What holds where the page says nothing. */
  readonly fallback: string;
  /** A CSS property whose values are its values. */
  readonly like:
    'background-color' | 'border' | 'border-radius' | 'font' | 'font-size' | 'height' | 'padding' | 'opacity';
}

/** CSS variables `--depthwire-<name>` of the page. */
export const aboutVariables = {
  ground: { is: 'The ground.', fallback: 'light-dark(#ffffff, #0c0f13)', like: 'background-color' },
  raised: {
    is: 'The ground of what stands out.',
    fallback: 'light-dark(#f3f5f7, #171c22)',
    like: 'background-color',
  },
  line: { is: 'Lines and edges.', fallback: 'light-dark(#e2e6ea, #272f38)', like: 'background-color' },
  text: { is: 'Text.', fallback: 'light-dark(#14181d, #e6e9ed)', like: 'background-color' },
  'text-muted': {
    is: 'Text of less weight.',
    fallback: 'light-dark(#4a545f, #a3acb7)',
    like: 'background-color',
  },
  up: { is: 'Bids, buys and rises.', fallback: 'light-dark(#007267, #49c6ae)', like: 'background-color' },
  down: { is: 'Asks, sells and falls.', fallback: 'light-dark(#bc332b, #f98d80)', like: 'background-color' },
  accent: {
    is: 'Lines of charts, links and the focus.',
    fallback: 'light-dark(#0066b8, #6bb5f2)',
    like: 'background-color',
  },
  warning: {
    is: 'Words of data that is not live.',
    fallback: 'light-dark(#835600, #efb740)',
    like: 'background-color',
  },
  font: { is: 'The font; its size is a variable of its own.', fallback: 'inherit', like: 'font' },
  'font-size': { is: 'The size of text.', fallback: '0.875rem', like: 'font-size' },
  'font-size-small': { is: 'The size of text of less weight.', fallback: '0.857em', like: 'font-size' },
  'price-size': { is: 'The size of the price of a ticker.', fallback: '1.5em', like: 'font-size' },
  'row-height': { is: 'The height of a row.', fallback: '1.6em', like: 'height' },
  padding: { is: 'The space at the edges.', fallback: '0.75em', like: 'padding' },
  radius: { is: 'How round the corners are.', fallback: '8px', like: 'border-radius' },
  border: { is: 'The edge.', fallback: '1px solid var(--_line)', like: 'border' },
  'bar-opacity': { is: 'How strong the bars behind figures are.', fallback: '14%', like: 'opacity' },
} as const satisfies Readonly<Record<string, VariableAbout>>;

export type VariableName = keyof typeof aboutVariables;
export const variableNames = Object.keys(aboutVariables) as VariableName[];
