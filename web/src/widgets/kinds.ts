/** What there is a widget of; the element of a kind is `depthwire-<kind>`. */
export const kinds = [
  'ticker',
  'ticker-tape',
  'mini-chart',
  'order-book',
  'depth',
  'trades',
  'market-table',
  'heat-tiles',
  'symbol-overview',
  'status',
] as const;

export type Kind = (typeof kinds)[number];

/** What an attribute holds: its property is a string, a number, or whether the attribute is there. */
export type AttributeType = 'text' | 'number' | 'flag';

/** Attributes that every widget takes. */
export const commonAttributes = {
  server: 'text',
  key: 'text',
  worker: 'text',
  theme: 'text',
  transparent: 'flag',
  locale: 'text',
  'time-zone': 'text',
  source: 'text',
  'source-url': 'text',
  cadence: 'number',
  background: 'flag',
} as const satisfies Record<string, AttributeType>;

/** Those of some kinds only. */
export const ownAttributes = {
  instrument: 'text',
  instruments: 'text',
  label: 'text',
  interval: 'text',
  type: 'text',
  candles: 'number',
  rows: 'number',
  group: 'number',
  span: 'number',
  measure: 'text',
  'min-size': 'text',
  columns: 'text',
  sort: 'text',
  'size-by': 'text',
  fields: 'text',
  speed: 'number',
  notation: 'text',
} as const satisfies Record<string, AttributeType>;

export type AttributeName = keyof typeof commonAttributes | keyof typeof ownAttributes;
type OwnName = keyof typeof ownAttributes;

export const attributesOf = {
  ticker: ['instrument', 'label', 'fields', 'notation'],
  'ticker-tape': ['instruments', 'speed'],
  'mini-chart': ['instrument', 'label', 'interval', 'type', 'candles'],
  'order-book': ['instrument', 'label', 'rows', 'group', 'notation'],
  depth: ['instrument', 'label', 'span', 'measure'],
  trades: ['instrument', 'label', 'rows', 'min-size', 'notation'],
  'market-table': ['instruments', 'columns', 'sort', 'rows'],
  'heat-tiles': ['instruments', 'size-by'],
  'symbol-overview': ['instrument', 'label', 'interval', 'type', 'candles', 'span', 'measure', 'notation'],
  status: ['instrument'],
} as const satisfies Record<Kind, readonly OwnName[]>;

export const attributeTypes: Readonly<Record<AttributeName, AttributeType>> = {
  ...commonAttributes,
  ...ownAttributes,
};

/** Of a kind, its own first. */
export function attributesFor(kind: Kind): AttributeName[] {
  return [...attributesOf[kind], ...(Object.keys(commonAttributes) as AttributeName[])];
}

/** `time-zone` is the property `timeZone`. */
export function propertyOf(attribute: string): string {
  return attribute.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
